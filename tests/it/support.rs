//! Policies in folders of their own, and drills over them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use firedrill::diag;
use firedrill::drill;
use firedrill::verdict::Verdict;

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of its own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("firedrill-it-{}-{nth}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Copies a folder of manifests to `policy`.
    pub(crate) fn policy(&self, from: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            self.write(&format!("policy/{name}"), fs::read(&path).unwrap());
        }
    }

    /// Replaces one text by another in a file, which has to hold it.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join("policy").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from:?}");
        fs::write(path, text.replace(from, to)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a scenario ends, or what was wrong with it.
pub(crate) fn drill(scenario: &Path, seed: u64) -> Result<Verdict, String> {
    let prepared = drill::prepare(scenario, true).map_err(|found| diag::render(&found, false))?;
    Ok(drill::on_twin(&prepared, seed, &mut |_, _| {}).unwrap().verdict)
}

/// Does the same with every item, on all processors, and keeps the order.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let spawn = |_| {
            scope.spawn(|| {
                let take = || next.fetch_add(1, Ordering::Relaxed);
                std::iter::repeat_with(take)
                    .take_while(|nth| *nth < items.len())
                    .map(|nth| (nth, work(&items[nth])))
                    .collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..workers).map(spawn).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    results.sort_by_key(|(nth, _)| *nth);
    results.into_iter().map(|(_, result)| result).collect()
}
