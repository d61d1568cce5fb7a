//! Protobuf by hand: the bytes are those that the Go types write.

use serde_json::{Value, json};

use super::*;

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(length < 128, "one byte of length");
    [&[number << 3 | 2, length], bytes].concat()
}

/// A field with a small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn envelope(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &meta), field(2, object), field(3, b""), field(4, b"")].concat()
}

fn check(kind: &str, object: &[u8], expected: Value) {
    let mut expected = expected;
    expected["apiVersion"] = json!("v1");
    expected["kind"] = json!(kind);
    assert_eq!(read(&envelope("v1", kind, object)), Ok(expected));
}

fn refuses(body: &[u8], wanted: &str) {
    let error = read(body).expect_err("refused");
    assert!(error.code == 400 && error.message.contains(wanted), "{}", error.message);
}

#[test]
fn maps_bytes_and_zeroes_are_read_as_go_writes_them() {
    let meta = field(1, &[field(1, b"a"), field(2, b""), number(7, 0), field(8, b"")].concat());
    let data = field(2, &[field(1, b"x"), field(2, b"y")].concat());
    let binary = field(3, &[field(1, b"z"), field(2, b"\0")].concat());
    check(
        "ConfigMap",
        &[meta, data, binary].concat(),
        json!({"metadata": {"name": "a"}, "data": {"x": "y"}, "binaryData": {"z": "AA=="}}),
    );
}

#[test]
fn a_pointer_to_zero_is_not_left_out() {
    let replicas = field(2, &number(1, 0));
    check("Deployment", &replicas, json!({"spec": {"replicas": 0}}));
}

#[test]
fn inline_messages_lie_in_the_one_around_them() {
    let probe = [
        field(1, &field(3, &field(1, &[number(1, 0), number(2, 80), field(3, b"")].concat()))),
        number(2, 5),
    ]
    .concat();
    let container = [field(1, b"c"), field(11, &probe)].concat();
    let pod = field(2, &field(2, &container));
    check(
        "Pod",
        &pod,
        json!({"spec": {"containers": [
        {"name": "c", "readinessProbe": {"initialDelaySeconds": 5, "tcpSocket": {"port": 80}}}]}}),
    );
}

#[test]
fn times_are_text_and_no_time_is_nothing() {
    let meta = field(1, &field(8, &[vec![8], vec![0x80, 0xe1, 0x85, 0xaa, 6], number(2, 0)].concat()));
    let (none, some) = (field(1, &field(8, b"")), read(&envelope("v1", "Pod", &meta)).expect("read"));
    check("Pod", &none, json!({"metadata": {}}));
    assert!(some["metadata"]["creationTimestamp"].as_str().is_some_and(|text| text.ends_with('Z')), "{some}");
}

#[test]
fn what_it_does_not_know_is_named() {
    refuses(b"{}", "does not begin with");
    refuses(&envelope("v1", "Rollout", b""), "no message \"Rollout\"");
    refuses(&envelope("v1", "ConfigMap", &field(9, b"")), "unknown field 9 of ConfigMap");
    refuses(&envelope("v1", "ConfigMap", &number(1, 1)), "a number stands where bytes belong");
    refuses(&envelope("v1", "ConfigMap", &[0x0d, 0, 0, 0, 0]), "wire type 5");
    refuses(&envelope("v1", "ConfigMap", &[0x0a, 0x7f]), "ends in the middle");
    refuses(&envelope("v1", "ConfigMap", &[0xff; 12]), "longer than 64 bits");
}

/// How deep a message can be.
fn depth(name: &str, above: usize) -> usize {
    assert!(above <= MAX_DEPTH, "{name} nests in itself");
    let inner = messages()[name].values().filter(|known| known.of.len() > 1);
    inner.map(|known| depth(known.of, above + 1) + 1).max().unwrap_or(0)
}

#[test]
fn nesting_has_an_end() {
    let deepest = messages().keys().map(|name| depth(name, 0)).max();
    assert!(deepest.is_some_and(|deepest| (5..MAX_DEPTH).contains(&deepest)), "{deepest:?}");
}

#[test]
fn the_table_is_whole() {
    let leaf = |of: &str| of.len() == 1;
    for (name, fields) in messages() {
        for known in fields.values() {
            assert!(
                leaf(known.of) || messages().contains_key(known.of),
                "{name}.{}: {}",
                known.name,
                known.of
            );
        }
    }
    assert!(messages().len() > 200);
    let lines = include_str!("messages.txt").lines();
    let words: usize = lines.map(|line| line.split(' ').count() - 1).sum();
    assert_eq!(words, messages().values().map(BTreeMap::len).sum::<usize>(), "every word is read");
}
