//! The canonical bytes of values, by which steps hash rows, and their Python form. The bytes are [`crate::dataset`]'s.

pub(super) use crate::dataset::row_bytes::{for_each_row, is_encodable};

use crate::transform::python::Python;

/// Defines `row_bytes(value)` in a script.
pub(super) fn define_python(script: &mut Python) {
    script.import("datetime");
    script.import("struct");
    script.define("row_bytes", include_str!("python/row_bytes.py"));
}
