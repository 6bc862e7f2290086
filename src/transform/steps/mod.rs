//! One file per step. `mod.rs` lists them once; everything else derives from that list.
