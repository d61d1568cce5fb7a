//! What takes minutes, or breaks what everybody needs: passed over with `--skip whole::`.

mod away;
mod dead;
mod every;
mod inside;
mod shared;
