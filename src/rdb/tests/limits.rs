//! What a payload may become is bounded before it is made.

use super::*;

fn fault(payload: &[u8], limits: Limits) -> Option<Fault> {
    match restore(payload, &limits) {
        Ok(_) => None,
        Err(Error::Malformed { fault, .. }) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn no_string_is_longer_than_the_limit() {
    let limits = |string_bytes_max| Limits { string_bytes_max, ..ROOMY };
    let plain = sealed(b"\x01\x02\x01a\x05abcde");
    assert_eq!(fault(&plain, limits(5)), None);
    assert_eq!(fault(&plain, limits(4)), Some(Fault::TooLong(5)));
    let compressed = dump(&Value::String(vec![b'a'; 1000].into()));
    assert_eq!(fault(&compressed, limits(1000)), None);
    assert_eq!(fault(&compressed, limits(999)), Some(Fault::TooLong(1000)));
    let endless = sealed(b"\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_eq!(fault(&endless, limits(usize::MAX)), Some(Fault::Truncated));
    assert_eq!(fault(&endless, limits(usize::MAX - 1)), Some(Fault::TooLong(u64::MAX)));
}

#[test]
fn all_compressed_strings_together_are_within_the_limit() {
    let list = dump(&Value::List(vec![vec![b'a'; 1000].into(); 3]));
    let limits = |unpacked_bytes_max| Limits { unpacked_bytes_max, ..ROOMY };
    assert_eq!(fault(&list, limits(3000)), None);
    assert_eq!(fault(&list, limits(2999)), Some(Fault::TooMuchCompressed));
}

#[test]
fn a_member_that_is_there_twice_is_found_among_many() {
    let mut members: Vec<Bytes<'_>> = (0..200_000).map(|n: u32| n.to_string().into_bytes().into()).collect();
    assert_eq!(fault(&dump(&Value::Set(members.clone())), ROOMY), None);
    members.push(Bytes::Borrowed(b"0"));
    assert_eq!(fault(&dump(&Value::Set(members)), ROOMY), Some(Fault::Duplicate));
}
