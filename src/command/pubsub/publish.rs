//! PUBLISH and SPUBLISH.

use super::hub::Letter;
use crate::command::call::{Call, CommandError};

/// `PUBLISH channel message`
///
/// # Errors
/// None.
pub fn publish(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    post(call, false);
    Ok(())
}

/// `SPUBLISH shardchannel message`
///
/// # Errors
/// None.
pub fn spublish(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    post(call, true);
    Ok(())
}

/// Answers who would get the message now; it is delivered when the attempt has taken effect.
fn post(call: &mut Call<'_, '_>, sharded: bool) {
    let (channel, payload) = (&call.args[1], &call.args[2]);
    let receivers = call.context.hub.receivers(sharded, channel);
    if receivers > 0 {
        call.session.outgoing().publish(Letter { sharded, channel, payload });
    }
    call.reply.int(receivers as i64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;
    use crate::command::pubsub::{psubscribe, ssubscribe, subscribe};

    #[test]
    fn nothing_is_kept_where_nobody_would_get_it() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(publish, "PUBLISH a x"), ":0\r\n");
        fixture.run(subscribe, "SUBSCRIBE b");
        fixture.session.outgoing = None;
        assert_eq!(fixture.run(publish, "PUBLISH a x"), ":0\r\n");
        assert!(fixture.session.outgoing.is_none());
    }

    #[test]
    fn messages_are_delivered_with_the_attempt_and_in_order() {
        let mut fixture = Fixture::new();
        fixture.run(subscribe, "SUBSCRIBE a");
        fixture.run(psubscribe, "PSUBSCRIBE ?");
        fixture.run(ssubscribe, "SSUBSCRIBE a");
        assert_eq!(fixture.run(publish, "PUBLISH a x"), ":2\r\n");
        assert_eq!(fixture.run(spublish, "SPUBLISH a y"), ":1\r\n");
        assert_eq!(
            fixture.deliver(),
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\na\r\n$1\r\nx\r\n\
             *3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\ny\r\n"
        );
    }
}
