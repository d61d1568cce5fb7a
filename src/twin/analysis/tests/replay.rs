//! Every recorded AnalysisRun, played again from the same script and compared with what the real controller wrote.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Action, Story, World};
use crate::clock::Moment;
use crate::twin::recordings::{Recording, recordings};

/// One measurement as compared: phase, value, message, second at which it was asked.
type Measured = (String, String, String, i64);

/// A recorded run: what went into it and what came out.
struct Played {
    name: String,
    given: Vec<Value>,
    actions: Vec<Action>,
    start: Moment,
    end: Moment,
    story: Story,
}

impl Played {
    fn read(recording: &Recording) -> Played {
        let observed = recording.observed();
        let at = clock(&observed);
        let acts = recording.actions();
        let patches = acts.iter().filter(|act| act["patch"].is_object());
        let actions = patches.map(|act| Action { at: at(act), patch: act["patch"].clone() }).collect();
        let added = |line: &&Value| line["kind"] == "AnalysisRun" && line["type"] == "ADDED";
        Played {
            name: recording.name.clone(),
            given: recording.given(),
            actions,
            start: at(observed.iter().find(added).expect("a run")),
            end: at(acts.last().unwrap()),
            story: story(&observed, at),
        }
    }
}

/// The moment of a line: all of them count from the first.
fn clock(observed: &[Value]) -> impl Fn(&Value) -> Moment + Copy {
    let zero = Moment::parse_rfc3339(observed[0]["time"].as_str().unwrap()).unwrap();
    move |line| zero + Duration::from_secs_f64(line["t"].as_f64().unwrap())
}

fn story(observed: &[Value], at: impl Fn(&Value) -> Moment) -> Story {
    let mut story = Story::default();
    for line in observed {
        match (line["kind"].as_str().unwrap(), line["type"].as_str()) {
            ("AnalysisRun", Some("MODIFIED")) if line["status"]["phase"].is_string() => {
                story.statuses.push((at(line), line["status"].clone()));
            }
            ("AnalysisRun", Some("DELETED")) => story.deleted = true,
            ("Event", _) => {
                let text = |field: &str| line[field].as_str().unwrap().to_owned();
                story.events.push((text("reason"), line["eventType"] == "Warning", text("message")));
            }
            _ => {}
        }
    }
    story.events.sort();
    story
}

/// All measurements of a story, by metric and number; retention forgets old ones only later.
fn measurements(story: &Story, start: Moment) -> BTreeMap<(String, i64), Measured> {
    let mut all = BTreeMap::new();
    for (_, status) in &story.statuses {
        for result in status["metricResults"].as_array().into_iter().flatten() {
            let taken = result["measurements"].as_array().unwrap();
            let count = |field: &str| result[field].as_i64().unwrap_or(0);
            let first = count("count") + count("error") - i64::try_from(taken.len()).unwrap();
            for (index, measurement) in (first..).zip(taken) {
                let text = |field: &str| measurement[field].as_str().unwrap_or("").to_owned();
                let asked = Moment::parse_rfc3339(&text("startedAt")).unwrap();
                let second = asked.unix_seconds() - start.unix_seconds();
                let value = (text("phase"), text("value"), stampless(&text("message")), second);
                all.insert((result["name"].as_str().unwrap().to_owned(), index), value);
            }
        }
    }
    all
}

/// A string answer quotes the moment it was evaluated.
fn stampless(message: &str) -> String {
    regex::Regex::new(r"\[\d+(\.\d+)?,").unwrap().replace_all(message, "[TIME,").into_owned()
}

/// The last status without its moments, metrics by name.
fn ending(story: &Story) -> Value {
    let Some((_, status)) = story.statuses.last() else { return Value::Null };
    let mut status: Value = serde_json::from_str(&stampless(&status.to_string())).unwrap();
    for field in ["startedAt", "completedAt"] {
        if status[field].is_string() {
            status[field] = json!("set");
        }
    }
    let results = status["metricResults"].as_array_mut();
    for result in results.into_iter().flatten() {
        for measurement in result["measurements"].as_array_mut().into_iter().flatten() {
            measurement["startedAt"] = json!("set");
            measurement["finishedAt"] = json!("set");
        }
    }
    if let Some(results) = status["metricResults"].as_array_mut() {
        results.sort_by_key(|result| result["name"].as_str().unwrap().to_owned());
    }
    status
}

/// The phases the run itself went through.
fn phases(story: &Story) -> Vec<String> {
    let mut phases: Vec<String> =
        story.statuses.iter().map(|(_, status)| status["phase"].to_string()).collect();
    phases.dedup();
    phases
}

fn compare(recording: &Played, ours: &Story) -> Vec<String> {
    let mut differences = vec![];
    let mut check = |what: &str, real: String, ours: String| {
        if real != ours {
            differences.push(format!("{}: {what}\n  real {real}\n  ours {ours}", recording.name));
        }
    };
    let real = &recording.story;
    let (their_end, our_end) = (ending(real), ending(ours));
    // The order of keys is no difference.
    if their_end != our_end {
        check("ending", their_end.to_string(), our_end.to_string());
    }
    check("phases", format!("{:?}", phases(real)), format!("{:?}", phases(ours)));
    check("events", format!("{:?}", real.events), format!("{:?}", ours.events));
    check("deleted", real.deleted.to_string(), ours.deleted.to_string());
    let (theirs, mine) = (measurements(real, recording.start), measurements(ours, recording.start));
    let keys = |all: &BTreeMap<(String, i64), Measured>| format!("{:?}", all.keys());
    check("measurements", keys(&theirs), keys(&mine));
    for (key, (phase, value, message, second)) in &theirs {
        let Some((our_phase, our_value, our_message, our_second)) = mine.get(key) else { continue };
        let told = |phase, value, message| format!("{key:?} {phase} {value} {message}");
        check("measurement", told(phase, value, message), told(our_phase, our_value, our_message));
        if second.abs_diff(*our_second) > 1 {
            check("second", format!("{key:?} {second}"), format!("{key:?} {our_second}"));
        }
    }
    differences
}

/// Says how many runs happened again, and fails with the differences of the others.
fn conclude(all: &[Vec<String>], at_least: usize) {
    let same = all.iter().filter(|differences| differences.is_empty()).count();
    println!("{same} of {} recorded AnalysisRuns", all.len());
    assert!(all.len() >= at_least, "only {} runs", all.len());
    assert!(same == all.len(), "{} differ\n{}", all.len() - same, all.concat().join("\n"));
}

fn differences(recording: &Played, world: World) -> Vec<String> {
    let mut ours = world.play(recording.start, recording.end);
    ours.events.sort();
    compare(recording, &ours)
}

#[test]
fn every_recorded_run_happens_again() {
    // The tables of expressions belong to the condition language.
    let ours = |name: &str| name.starts_with("ar-") && !name.starts_with("ar-expression-table");
    let play = |recording: &Recording| {
        let recording = Played::read(recording);
        let world = World::new(recording.given.clone(), recording.actions.clone(), recording.start);
        differences(&recording, world)
    };
    let all: Vec<Vec<String>> = recordings(ours).iter().map(play).collect();
    conclude(&all, 68);
}

/// Every AnalysisRun that a Rollout created in the other recordings, from the moment it appeared.
fn created_by_rollouts(recording: &Recording) -> Vec<(Played, World)> {
    let observed = recording.observed();
    let given = recording.given();
    let at = clock(&observed);
    let added = observed.iter().filter(|line| line["kind"] == "AnalysisRun" && line["type"] == "ADDED");
    let read = |added: &Value| {
        let (name, start) = (added["name"].as_str().unwrap(), at(added));
        let about =
            |line: &&Value| line["kind"] == "AnalysisRun" && line["name"] == name && at(line) >= start;
        let on = format!("AnalysisRun/{name}");
        let mine: Vec<Value> =
            observed.iter().filter(|line| about(line) || line["on"] == on.as_str()).cloned().collect();
        let ended = mine.iter().find(|line| line["spec"]["terminate"] == true);
        let patch = json!({"spec": {"terminate": true}});
        let actions: Vec<Action> = ended.map(|line| Action { at: at(line), patch }).into_iter().collect();
        let deleted = mine.iter().find(|line| line["type"] == "DELETED");
        let end = at(deleted.unwrap_or(observed.last().unwrap()));
        let mut objects: Vec<Value> =
            given.iter().filter(|object| object["kind"] == "Secret").cloned().collect();
        objects.push(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
            "metadata": {"name": name}, "spec": added["spec"], "status": added["status"]}));
        // Runs of one scenario share their scripts. The recorder may see a query shortly before the run it is for.
        let before = |line: &&Value| line["kind"] == "Query" && at(line) + Duration::from_millis(100) < start;
        let calls = observed.iter().filter(before).map(|line| line["name"].as_str().unwrap());
        let world = World::new(objects, actions, start).after(calls);
        let story = Story { deleted: false, ..story(&mine, at) };
        let name = format!("{}/{name}", recording.name);
        (Played { name, given: vec![], actions: vec![], start, end, story }, world)
    };
    added.map(read).collect()
}

#[test]
fn every_run_that_a_recorded_rollout_created_happens_again() {
    // Runs of their own are above; a killed controller measures nothing for a while.
    let others = |name: &str| !name.starts_with("ar-") && !name.starts_with("ctl-");
    let runs = recordings(others);
    let runs = runs.iter().flat_map(created_by_rollouts);
    // Some were deleted before anything was written.
    let written = runs.filter(|(recording, _)| !recording.story.statuses.is_empty());
    let all: Vec<Vec<String>> = written.map(|(recording, world)| differences(&recording, world)).collect();
    conclude(&all, 130);
}
