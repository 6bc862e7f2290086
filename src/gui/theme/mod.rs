//! Colours, sizes and fonts, named once.
