//! Publish/subscribe, and the events of keys that are published by it.
//!
//! A connection that subscribes gets an outbox ([`Subscriber`]), which its handle shares; the [`Hub`] knows by name
//! who is subscribed to what. To publish is to encode the message once, look the name up, and put the same bytes into
//! the outbox of each subscriber: a publisher waits for nobody's socket, and with no subscriber on the server it finds
//! that out with one load. The connection's task wakes, takes what is in its outbox, and sends it between replies.
//!
//! What a command publishes belongs to its attempt, which may lose and run again: it gathers in [`Outgoing`], and is
//! delivered when the attempt has taken effect. Subscriptions change at once, and are taken back with the attempt.
//!
//! Order: what one connection publishes, events of its keys included, a subscriber gets in that order. After the
//! confirmation of an unsubscription no message of that name comes: `Hub::leave` waits for publishers that are at
//! it, and what they had sent is put before the confirmation. Messages of two connections about one key may arrive in
//! either order. Under `fsync always` a message is sent when the writes that its publisher had seen are durable.
//!
//! | file | owns |
//! |---|---|
//! | `hub`, `topics` | who is subscribed to what |
//! | `subscriber` | the outbox of one connection |
//! | `subscriptions` | what one connection is subscribed to, as its session has it |
//! | `pushes` | the way from the outbox to the socket |
//! | `outgoing` | what an attempt publishes, and what it takes back |
//! | `notify` | events of keys |
//! | `mode` | what a subscribed connection may do |
//! | `monitor` | MONITOR, and those who do |
//! | `subscribe`, `publish`, `inspect` | the commands |

mod hub;
mod inspect;
mod mode;
mod monitor;
mod notify;
mod outgoing;
mod publish;
mod pushes;
mod subscribe;
mod subscriber;
mod subscriptions;
mod topics;

pub use hub::{Hub, Letter, Postage};
pub use inspect::{channels, help, numpat, numsub, shardchannels, shardnumsub};
pub use mode::check as check_mode;
pub use monitor::{Monitoring, Monitors, monitor};
pub(super) use notify::{tell_done, tell_misses, tells_misses, witness};
pub use outgoing::Outgoing;
pub use publish::{publish, spublish};
pub use subscribe::{psubscribe, punsubscribe, ssubscribe, subscribe, sunsubscribe, unsubscribe};
pub use subscriber::{OverLimit, Push, Subscriber};
pub use subscriptions::Subscriptions;

/// What a name that somebody subscribes to is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A channel.
    Channel,
    /// A glob pattern for channels.
    Pattern,
    /// A shard channel.
    Shard,
}

impl Kind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];
}
