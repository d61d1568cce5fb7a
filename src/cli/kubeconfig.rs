//! The kubeconfig on disk: written for its owner only, and gone when the process that wrote it is.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::cluster::served::CONTEXT;

/// A kubeconfig that was written, and is removed when this is dropped.
pub(super) struct Kubeconfig {
    path: PathBuf,
    text: String,
}

impl Kubeconfig {
    /// Writes it. What lies there already is replaced only if it is one of ours, left behind by a process that was
    /// killed: nobody loses the key to a cluster here.
    pub(super) fn write(path: &Path, text: &str) -> io::Result<Kubeconfig> {
        match fs::read_to_string(path) {
            Ok(there) if !there.contains(&current()) => {
                let why = "there is a file that was not written by `firedrill serve`; name another with `--kubeconfig`";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            Ok(_) => fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // The mode is given on creation, so there is no moment at which others can read it.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let written = Kubeconfig { path: path.to_owned(), text: text.to_owned() };
        file.write_all(text.as_bytes())?;
        Ok(written)
    }
}

impl Drop for Kubeconfig {
    /// Only if it is still the one that was written: another `serve` may have replaced it.
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|there| there == self.text) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The line by which ours are known.
fn current() -> String {
    format!("\"current-context\": \"{CONTEXT}\"")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("firedrill-kubeconfig-{name}-{}", std::process::id()))
    }

    #[test]
    fn it_is_for_its_owner_only_and_goes_with_its_writer() {
        let path = path("mode");
        let written = Kubeconfig::write(&path, "a").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(written);
        assert!(!path.exists());
    }

    #[test]
    fn somebody_elses_stays_and_one_of_ours_is_replaced() {
        let path = path("clobber");
        fs::write(&path, "apiVersion: v1").unwrap();
        assert!(Kubeconfig::write(&path, "a").is_err());
        fs::write(&path, current()).unwrap();
        let old = Kubeconfig::write(&path, &current()).unwrap();
        let new = Kubeconfig::write(&path, "b").unwrap();
        drop(old);
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        drop(new);
        assert!(!path.exists());
    }
}
