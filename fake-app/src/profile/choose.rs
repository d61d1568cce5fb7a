//! Which profiles cover the names that queries ask for.

use super::{Custom, Profile};

/// The profiles to serve, and the names that none of them has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// In a fixed order, each at most once.
    pub profiles: Vec<Profile>,
    /// Names that nobody exports, in the order they were asked.
    pub unknown: Vec<String>,
}

/// Picks the profiles whose series the names are. A custom profile, if there is one, is always served and covers its names first.
#[must_use]
pub fn choose<'a>(names: impl IntoIterator<Item = &'a str>, custom: Option<&Custom>) -> Choice {
    let custom = custom.map(|custom| Profile::Custom(custom.clone()));
    let own: Vec<String> = custom.iter().flat_map(exported).collect();
    let built_in: Vec<(Profile, Vec<String>)> =
        Profile::BUILT_IN.into_iter().map(|p| (p.clone(), exported(&p))).collect();
    let mut wanted = vec![false; built_in.len()];
    let mut choice = Choice::default();
    for name in names {
        if own.iter().any(|exported| exported == name) {
            continue;
        }
        match built_in.iter().position(|(_, exported)| exported.iter().any(|exported| exported == name)) {
            Some(index) => wanted[index] = true,
            None if choice.unknown.iter().any(|unknown| unknown == name) => {}
            None => choice.unknown.push(name.to_owned()),
        }
    }
    choice.profiles = built_in
        .into_iter()
        .zip(wanted)
        .filter(|(_, wanted)| *wanted)
        .map(|((profile, _), _)| profile)
        .chain(custom)
        .collect();
    choice
}

fn exported(profile: &Profile) -> Vec<String> {
    profile.families().iter().flat_map(super::Family::sample_names).collect()
}
