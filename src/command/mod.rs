//! Request -> reply: the commands, without sockets and without disk. (interface; grows)
pub mod call;
