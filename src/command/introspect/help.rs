//! HELP of every container, made from the table.

use crate::command::spec::{CommandSpec, argument::Syntax};
use crate::resp::ReplyBuf;

/// Replies with the subcommands of `container`: for each its syntax, and below it, indented, what it does.
pub fn help(container: &CommandSpec, reply: &mut ReplyBuf) {
    let alone = container.accepts(1).then(|| ("(no subcommand)".to_owned(), container.summary));
    let subcommands = container.subcommands.iter().map(|spec| (syntax(spec), spec.summary));
    let entries: Vec<_> = alone.into_iter().chain(subcommands).collect();
    help_lines(container.name, &entries, reply);
}

/// Replies like [`help`] for a command whose subcommands are not in the table, given as (syntax, summary).
pub fn help_lines<S: AsRef<str>>(name: &str, entries: &[(S, &str)], reply: &mut ReplyBuf) {
    reply.array(1 + 2 * entries.len());
    let name = name.to_ascii_uppercase();
    reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (syntax, summary) in entries {
        reply.simple(syntax.as_ref());
        reply.simple(&format!("    {summary}"));
    }
}

/// A subcommand as it is typed behind its container.
fn syntax(spec: &CommandSpec) -> String {
    let name = spec.name.to_ascii_uppercase();
    if spec.arguments.is_empty() { name } else { format!("{name} {}", Syntax(spec.arguments)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::lookup;
    use bytes::Buf;

    /// The lines of a container's help, in the raw.
    fn lines(name: &str) -> Vec<String> {
        let mut reply = ReplyBuf::new();
        help(lookup(name.as_bytes()).expect("a known container"), &mut reply);
        let bytes = reply.copy_to_bytes(reply.remaining());
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    #[test]
    fn help_shows_syntax_and_summary_of_each_subcommand() {
        let lines = lines("object");
        assert_eq!(lines[0], "*11");
        assert_eq!(lines[1], "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        assert_eq!(lines[2..4], ["+ENCODING key", "+    Names the representation in which a value is kept."]);
        assert_eq!(lines[10..], ["+HELP", "+    Lists the subcommands."]);
    }

    #[test]
    fn a_container_that_works_alone_says_so() {
        assert_eq!(lines("command")[2], "+(no subcommand)");
        assert_eq!(lines("client")[2], "+ID");
    }
}
