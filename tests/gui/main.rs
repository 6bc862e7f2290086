//! Window tests by accessibility labels.
