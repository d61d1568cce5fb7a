//! The three kinds of patch.

use serde_json::{Value, json};

use super::Patch;

fn json(object: Value, patch: Value, expected: Value) {
    assert_eq!(Patch::Json(patch).apply(&object).expect("the patch applies"), expected);
}

fn json_code(object: Value, patch: Value) -> u16 {
    Patch::Json(patch).apply(&object).expect_err("the patch must not apply").code
}

fn strategic(object: Value, patch: Value, expected: Value) {
    assert_eq!(Patch::Strategic(patch).apply(&object).expect("the patch applies"), expected);
}

#[test]
fn merge_deletes_with_null_and_replaces_lists() {
    let patch = Patch::Merge(json!({"a": null, "b": {"c": 1}, "l": [3]}));
    let object = patch.apply(&json!({"a": 1, "b": {"d": 2}, "l": [1, 2]})).expect("it applies");
    assert_eq!(object, json!({"b": {"c": 1, "d": 2}, "l": [3]}));
}

#[test]
fn merge_drops_nulls_from_what_it_adds() {
    let object = Patch::Merge(json!({"a": {"b": null, "c": 1}})).apply(&json!({})).expect("it applies");
    assert_eq!(object, json!({"a": {"c": 1}}));
}

#[test]
fn a_merge_patch_is_an_object() {
    assert_eq!(Patch::Merge(json!([1])).apply(&json!({})).expect_err("no object").code, 400);
}

#[test]
fn add_sets_a_member() {
    json(json!({"a": 1}), json!([{"op": "add", "path": "/b", "value": 2}]), json!({"a": 1, "b": 2}));
}

#[test]
fn add_inserts_and_appends_to_a_list() {
    let patch = json!([{"op": "add", "path": "/l/1", "value": 2}, {"op": "add", "path": "/l/-", "value": 9}]);
    json(json!({"l": [1, 3]}), patch, json!({"l": [1, 2, 3, 9]}));
}

#[test]
fn pointers_are_unescaped() {
    let patch = json!([{"op": "replace", "path": "/argo.io~1x~0y", "value": 2}]);
    json(json!({"argo.io/x~y": 1}), patch, json!({"argo.io/x~y": 2}));
}

#[test]
fn remove_takes_away() {
    json(json!({"l": [1, 2], "a": 1}), json!([{"op": "remove", "path": "/l/0"}]), json!({"l": [2], "a": 1}));
}

#[test]
fn move_and_copy_carry_values() {
    let patch =
        json!([{"op": "move", "from": "/a", "path": "/b"}, {"op": "copy", "from": "/b", "path": "/c"}]);
    json(json!({"a": {"x": 1}}), patch, json!({"b": {"x": 1}, "c": {"x": 1}}));
}

#[test]
fn test_compares_numbers_by_value() {
    json(json!({"a": 1}), json!([{"op": "test", "path": "/a", "value": 1.0}]), json!({"a": 1}));
}

#[test]
fn a_failed_test_refuses_the_whole_patch() {
    assert_eq!(json_code(json!({"a": 1}), json!([{"op": "test", "path": "/a", "value": 2}])), 422);
}

#[test]
fn what_is_not_there_is_unprocessable() {
    for operation in [
        json!({"op": "remove", "path": "/b"}),
        json!({"op": "replace", "path": "/b", "value": 1}),
        json!({"op": "add", "path": "/b/c", "value": 1}),
        json!({"op": "add", "path": "/l/3", "value": 1}),
        json!({"op": "remove", "path": "/l/01"}),
        json!({"op": "move", "from": "/l", "path": "/l/0"}),
    ] {
        assert_eq!(json_code(json!({"l": [1, 2]}), json!([operation])), 422);
    }
}

#[test]
fn what_is_no_operation_is_a_bad_request() {
    for patch in [
        json!({}),
        json!([{"op": "jump", "path": "/a"}]),
        json!([{"op": "add", "path": "a", "value": 1}]),
        json!([{"op": "add", "path": "/a"}]),
        json!([{}]),
        json!([7]),
    ] {
        assert_eq!(json_code(json!({}), patch), 400);
    }
}

#[test]
fn copies_cannot_grow_without_bound() {
    let doubling: Vec<Value> =
        (0..60).map(|n| json!({"op": "copy", "from": "", "path": format!("/k{n}")})).collect();
    assert!([400, 422].contains(&json_code(json!({"a": "x".repeat(100)}), json!(doubling))));
}

#[test]
fn containers_merge_by_name() {
    strategic(
        json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}),
        json!({"containers": [{"name": "b", "image": "2"}, {"name": "c", "x": null}]}),
        json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c"}]}),
    );
}

#[test]
fn ports_merge_by_the_key_of_their_owner() {
    strategic(
        json!({"ports": [{"port": 80, "name": "a"}]}),
        json!({"ports": [{"port": 80, "name": "b"}, {"port": 81}]}),
        json!({"ports": [{"port": 80, "name": "b"}, {"port": 81}]}),
    );
    strategic(
        json!({"ports": [{"containerPort": 80, "name": "a"}]}),
        json!({"ports": [{"containerPort": 80, "name": "b"}]}),
        json!({"ports": [{"containerPort": 80, "name": "b"}]}),
    );
}

#[test]
fn tolerations_are_replaced() {
    strategic(
        json!({"tolerations": [{"key": "a"}, {"key": "b"}]}),
        json!({"tolerations": [{"key": "c"}]}),
        json!({"tolerations": [{"key": "c"}]}),
    );
}

#[test]
fn items_are_deleted_by_directive() {
    strategic(
        json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}),
        json!({"env": [{"name": "A", "$patch": "delete"}]}),
        json!({"env": [{"name": "B", "value": "2"}]}),
    );
}

#[test]
fn lists_and_maps_are_replaced_by_directive() {
    strategic(
        json!({"env": [{"name": "A"}, {"name": "B"}]}),
        json!({"env": [{"name": "C"}, {"$patch": "replace"}]}),
        json!({"env": [{"name": "C"}]}),
    );
    strategic(
        json!({"selector": {"app": "a", "hash": "1"}}),
        json!({"selector": {"$patch": "replace", "app": "b"}}),
        json!({"selector": {"app": "b"}}),
    );
}

#[test]
fn the_order_of_elements_can_be_set() {
    strategic(
        json!({"env": [{"name": "A"}, {"name": "B"}, {"name": "Z"}]}),
        json!({"$setElementOrder/env": [{"name": "C"}, {"name": "B"}, {"name": "A"}], "env": [{"name": "C"}]}),
        json!({"env": [{"name": "C"}, {"name": "B"}, {"name": "A"}, {"name": "Z"}]}),
    );
}

#[test]
fn finalizers_are_a_set() {
    strategic(
        json!({"finalizers": ["a", "b"]}),
        json!({"finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"]}),
        json!({"finalizers": ["b", "c"]}),
    );
}

#[test]
fn keys_outside_the_retained_ones_go() {
    strategic(
        json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}),
        json!({"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}),
        json!({"strategy": {"type": "Recreate"}}),
    );
}

#[test]
fn a_list_item_needs_its_merge_key() {
    let patch = Patch::Strategic(json!({"containers": [{"image": "2"}]}));
    assert_eq!(patch.apply(&json!({"containers": []})).expect_err("no name").code, 400);
}
