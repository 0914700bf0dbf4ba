//! One-shot commands and commands from a pipe: what is printed where, and the exit status.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use super::Server;

impl Server {
    /// Runs the program against this server, and checks that all scripts were played.
    fn run(self, args: &[&str], input: &str) -> Output {
        let output = run(&[&["-addr", &self.address], args].concat(), input);
        self.join();
        output
    }
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_goredis-cli"))
        .args(args)
        .env_remove("REDISCLI_AUTH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // Why: the program may end before it has read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

#[track_caller]
fn assert_printed(output: &Output, status: i32, stdout: &str, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(output.status.code(), Some(status));
}

const GET_A: &str = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
const PING: &str = "*1\r\n$4\r\nPING\r\n";

#[test]
fn one_command_prints_its_reply_raw_where_output_is_no_terminal() {
    let server = Server::start(&[&[(GET_A, "$8\r\nJohn Doe\r\n")]]);
    assert_printed(&server.run(&["GET", "a"], ""), 0, "John Doe\n", "");
}

#[test]
fn output_is_formatted_on_request() {
    for (option, printed) in [
        ("--no-raw", "1) (integer) 1\n2) \"x\\n\"\n3) (nil)\n"),
        ("-no-raw", "1) (integer) 1\n2) \"x\\n\"\n3) (nil)\n"),
        ("--raw", "1\nx\n\n\n"),
        ("--csv", "1,\"x\\n\",NULL\n"),
    ] {
        let server = Server::start(&[&[(GET_A, "*3\r\n:1\r\n$2\r\nx\n\r\n$-1\r\n")]]);
        assert_printed(&server.run(&[option, "GET", "a"], ""), 0, printed, "");
    }
}

#[test]
fn json_greets_with_resp3() {
    let server = Server::start(&[&[
        ("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", "%1\r\n+proto\r\n:3\r\n"),
        (GET_A, "%2\r\n$1\r\nk\r\n,1.5\r\n:7\r\n#t\r\n"),
    ]]);
    assert_printed(&server.run(&["--json", "GET", "a"], ""), 0, "{\"k\":1.5,\"7\":true}\n", "");
}

#[test]
fn an_error_reply_is_printed_and_is_a_failure() {
    let server = Server::start(&[&[(GET_A, "-WRONGTYPE no\r\n")]]);
    assert_printed(&server.run(&["--no-raw", "GET", "a"], ""), 1, "(error) WRONGTYPE no\n", "");
}

#[test]
fn commands_come_from_standard_input_with_quotes_and_repeat_counts() {
    let server = Server::start(&[&[
        ("*3\r\n$3\r\nset\r\n$1\r\na\r\n$4\r\nx\n\0y\r\n", "+OK\r\n"),
        ("*1\r\n$3\r\nbad\r\n", "-ERR unknown command\r\n"),
        ("*2\r\n$4\r\nincr\r\n$1\r\nn\r\n", ":1\r\n"),
        ("*2\r\n$4\r\nincr\r\n$1\r\nn\r\n", ":2\r\n"),
    ]]);
    let input = "set a \"x\\n\\x00y\"\n\nbad\r\n2 incr n\nget \"a\nexit\nnever sent\n";
    let printed = "OK\n(error) ERR unknown command\n(integer) 1\n(integer) 2\n";
    assert_printed(&server.run(&["--no-raw"], input), 1, printed, "Invalid argument(s)\n");
}

#[test]
fn the_first_failure_ends_it_on_request() {
    let server = Server::start(&[&[(PING, "-ERR no\r\n")]]);
    assert_printed(&server.run(&["--no-raw", "-e"], "PING\nPING\n"), 1, "(error) ERR no\n", "");
}

#[test]
fn the_last_argument_comes_from_standard_input() {
    let server = Server::start(&[&[("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$6\r\nx y\r\nz\r\n", "+OK\r\n")]]);
    assert_printed(&server.run(&["-x", "SET", "a"], "x y\r\nz"), 0, "OK\n", "");
}

#[test]
fn a_command_is_repeated() {
    let server = Server::start(&[&[(PING, "+PONG\r\n"), (PING, "+PONG\r\n"), (PING, "+PONG\r\n")]]);
    assert_printed(&server.run(&["-r", "3", "-i", "0.01", "PING"], ""), 0, "PONG\nPONG\nPONG\n", "");
}

#[test]
fn user_password_and_database_are_sent_first() {
    let server = Server::start(&[&[
        ("*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n", "+OK\r\n"),
        ("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n", "+OK\r\n"),
        (PING, "+PONG\r\n"),
    ]]);
    let args = ["--user", "me", "-a", "secret", "--no-auth-warning", "-n", "3", "PING"];
    assert_printed(&server.run(&args, ""), 0, "PONG\n", "");
}

#[test]
fn a_refused_password_is_a_failure_and_nothing_is_run() {
    let server = Server::start(&[&[("*2\r\n$4\r\nAUTH\r\n$3\r\nbad\r\n", "-WRONGPASS invalid\r\n")]]);
    let output = server.run(&["-a", "bad", "--no-auth-warning", "PING"], "");
    assert_printed(&output, 1, "", "WRONGPASS invalid\n");
}

#[test]
fn reports_are_shown_as_they_are() {
    let server = Server::start(&[&[("*1\r\n$4\r\nINFO\r\n", "$15\r\n# Server\r\na:1\r\n\r\n")]]);
    assert_printed(&server.run(&["--no-raw", "INFO"], ""), 0, "# Server\r\na:1\r\n", "");
}

#[test]
fn a_connection_that_breaks_is_not_tried_again_behind_the_back_of_a_script() {
    let server = Server::start(&[&[(GET_A, "$9\r\nhalf")]]);
    let address = server.address.clone();
    let output = server.run(&[], "GET a\nPING\n");
    let message = format!(
        "Lost the connection to {address}: the server closed it; the command may have been executed\n"
    );
    assert_printed(&output, 1, "", &message);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let free =
        TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").to_string();
    let output = run(&["-addr", &free, "PING"], "");
    let message = format!("Cannot connect to {free}: Connection refused (os error 111)\n");
    assert_printed(&output, 1, "", &message);
}

#[test]
fn a_senseless_command_line_is_one_line_and_status_2() {
    let output = run(&["--rwa", "GET", "a"], "");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.starts_with("goredis-cli: unexpected argument '--rwa'"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn messages_are_shown_as_they_come_until_the_server_ends_them() {
    const MESSAGE: &str = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    let server = Server::start(&[&[("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n", MESSAGE)]]);
    let output = server.run(&["SUBSCRIBE", "c"], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "message\nc\nhi\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn help_and_version_need_no_server() {
    let output = run(&["--help"], "");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && help.contains("--addr <ADDRESS>"), "{help}");
    let output = run(&["--version"], "");
    assert!(output.stdout.starts_with(b"goredis-cli "));
}
