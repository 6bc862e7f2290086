//! Between places of rows and columns and lengths on the screen, for tables that paint only what is in view.

#[expect(
    clippy::cast_precision_loss,
    reason = "rows and columns of a page or a map, far below what f32 counts exactly"
)]
pub(super) fn length(n: usize) -> f32 {
    n as f32
}

/// The place that a length reaches; 0 above the first.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position on the screen, cut to 0 below and far below 2^24 above"
)]
pub(super) fn place(length: f32) -> usize {
    length.max(0.0) as usize
}
