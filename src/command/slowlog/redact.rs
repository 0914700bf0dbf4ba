//! Which arguments hold secrets, and must not be shown to whoever reads the slow log or monitors.

use crate::resp::Args;

/// Settings whose values are secrets.
const SECRET_SETTINGS: [&str; 9] = [
    "requirepass",
    "masterauth",
    "masteruser",
    "primaryauth",
    "primaryuser",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "sentinel-pass",
    "sentinel-user",
];

/// Whether argument `at` of the request is a secret.
pub(in crate::command) fn is_secret(args: Args<'_>, at: usize) -> bool {
    let is = |place: usize, word: &str| {
        args.get(place).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    if is(0, "auth") {
        return at >= 1;
    }
    if is(0, "hello") {
        return at >= 2 && (is(at - 1, "auth") || is(at - 2, "auth"));
    }
    if is(0, "config") && is(1, "set") {
        return at >= 3 && at % 2 == 1 && SECRET_SETTINGS.iter().any(|setting| is(at - 1, setting));
    }
    if is(0, "acl") && ["setuser", "getuser", "deluser"].iter().any(|word| is(1, word)) {
        return at >= 2;
    }
    is(0, "migrate") && at >= 6 && (is(at - 1, "auth") || is(at - 1, "auth2") || is(at - 2, "auth2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn shown(line: &str) -> String {
        let request: OwnedRequest = line.split(' ').collect();
        let args = request.as_args();
        let words = args
            .iter()
            .enumerate()
            .map(|(at, arg)| if is_secret(args, at) { "*".into() } else { String::from_utf8_lossy(arg) });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn secrets_are_found_by_their_place() {
        for (line, expected) in [
            ("AUTH user pass", "AUTH * *"),
            ("HELLO 3 AUTH user pass SETNAME me", "HELLO 3 AUTH * * SETNAME me"),
            ("config set port 1 requirepass x", "config set port 1 requirepass *"),
            (
                "config set requirepass x maxclients requirepass",
                "config set requirepass * maxclients requirepass",
            ),
            ("ACL SETUSER bob on >pw", "ACL SETUSER * * *"),
            ("ACL WHOAMI", "ACL WHOAMI"),
            ("migrate h 1 key 9 5000 AUTH2 u p", "migrate h 1 key 9 5000 AUTH2 * *"),
            ("set auth secret", "set auth secret"),
        ] {
            assert_eq!(shown(line), expected);
        }
    }
}
