//! The recordings of the real controller in `tests/data/recordings`, read the same way by unit and integration tests.
//!
//! `FIREDRILL_RECORDINGS` points the tests to another folder of the same layout, with `observed.jsonl` packed or
//! plain; `tests/data/README.md` explains the files. This loader knows where texts lie and how to parse them, and
//! nothing of what they mean.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One recorded scenario.
#[derive(Debug)]
pub(crate) struct Recording {
    /// The name of its folder.
    pub(crate) name: String,
    folder: PathBuf,
}

/// Every recording whose name satisfies `wanted`, in the order of names.
pub(crate) fn recordings(wanted: impl Fn(&str) -> bool) -> Vec<Recording> {
    let entries =
        std::fs::read_dir(root()).expect("the recordings").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<Recording> = entries.filter(|path| path.is_dir()).map(Recording::at).collect();
    all.retain(|recording| wanted(&recording.name));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// The recording of that name.
pub(crate) fn recording(name: &str) -> Recording {
    Recording::at(root().join(name))
}

/// The ConfigMap of the notifications that were recorded.
pub(crate) fn notification_config() -> Value {
    let text = text(&root().join("notification-config.yaml"));
    serde_saphyr::from_str(&text).expect("a ConfigMap")
}

impl Recording {
    fn at(folder: PathBuf) -> Recording {
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        Recording { name, folder }
    }

    /// The objects that were applied first.
    pub(crate) fn given(&self) -> Vec<Value> {
        serde_saphyr::from_multiple(&text(&self.folder.join("given.yaml"))).expect("objects")
    }

    /// What was done, and when.
    pub(crate) fn actions(&self) -> Vec<Value> {
        lines(&text(&self.folder.join("actions.jsonl")))
    }

    /// What was seen, and when.
    pub(crate) fn observed(&self) -> Vec<Value> {
        let plain = self.folder.join("observed.jsonl");
        if plain.exists() {
            lines(&text(&plain))
        } else {
            lines(&unpacked(&plain.with_extension("jsonl.gz")))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the place of test data is the business of whoever runs the tests"
)]
fn root() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    std::env::var("FIREDRILL_RECORDINGS").map_or_else(|_| own(), PathBuf::from)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unpacked(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(file).read_to_string(&mut text);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}
