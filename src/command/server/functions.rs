//! FUNCTION, as far as tools call it to tidy up: this server has no functions, and says so.

use super::{help, text};
use crate::command::args::is;
use crate::command::call::{Call, CommandError};

/// `FUNCTION FLUSH [ASYNC|SYNC]`
pub fn function_flush(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match (call.args.len(), call.args.get(2)) {
        (2, _) => {}
        (3, Some(how)) if is(how, "sync") || is(how, "async") => {}
        _ => return Err(text("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
    }
    call.reply.ok();
    Ok(())
}

/// `FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]`
pub fn function_list(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (mut with_code, mut named) = (false, false);
    let mut at = 2;
    while let Some(option) = call.args.get(at) {
        if !with_code && is(option, "withcode") {
            with_code = true;
        } else if !named && is(option, "libraryname") {
            named = true;
            at += 1;
            call.args.get(at).ok_or(text("ERR library name argument was not given"))?;
        } else {
            let option = String::from_utf8_lossy(option);
            return Err(CommandError::Text(format!("ERR Unknown argument {option}").into()));
        }
        at += 1;
    }
    call.reply.array(0);
    Ok(())
}

/// FUNCTION STATS
pub fn function_stats(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.map(2);
    call.reply.bulk(b"running_script");
    call.reply.null();
    call.reply.bulk(b"engines");
    call.reply.map(0);
    Ok(())
}

/// FUNCTION HELP
pub fn function_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("function", call.reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn there_are_no_functions() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(function_flush, "FUNCTION FLUSH"), "+OK\r\n");
        assert_eq!(fixture.run(function_flush, "FUNCTION FLUSH async"), "+OK\r\n");
        assert_eq!(fixture.run(function_list, "FUNCTION LIST WITHCODE LIBRARYNAME x*"), "*0\r\n");
        assert!(
            fixture
                .run(function_stats, "FUNCTION STATS")
                .starts_with("*4\r\n$14\r\nrunning_script\r\n$-1\r\n")
        );
    }

    #[test]
    fn bad_arguments_have_redis_texts() {
        let mut fixture = Fixture::new();
        let flush = fixture.error(function_flush, "FUNCTION FLUSH foo");
        assert_eq!(flush, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        for (line, expected) in [
            ("FUNCTION LIST foo", "ERR Unknown argument foo"),
            ("FUNCTION LIST libraryname", "ERR library name argument was not given"),
            ("FUNCTION LIST libraryname a libraryname b", "ERR Unknown argument libraryname"),
        ] {
            assert_eq!(fixture.error(function_list, line), expected);
        }
    }
}
