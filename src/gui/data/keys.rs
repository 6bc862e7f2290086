//! Keys of the grid: arrows, pages and ends move the cursor, Shift extends, Enter opens the row, Ctrl+C copies, Alt+Down
//! opens the column's card and Shift+F10 the cell's menu.

use egui::{Event, EventFilter, Id, Key, Modifiers, Ui};
use polars::prelude::DataFrame;

use super::grid::GridState;
use crate::gui::command::Command;

/// Takes the keys meant for the grid while it has the focus.
pub(super) fn handle(
    ui: &Ui,
    id: Id,
    df: &DataFrame,
    n_columns: usize,
    state: &mut GridState,
    commands: &mut Vec<Command>,
) {
    if !ui.memory(|memory| memory.has_focus(id)) || n_columns == 0 || df.height() == 0 {
        return;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        escape: true,
        tab: false,
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let (is_copying, keys) = ui.input(|input| {
        let is_copying = input.events.iter().any(|event| matches!(event, Event::Copy));
        let keys: Vec<(Key, Modifiers)> = input
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Key {
                    key,
                    pressed: true,
                    modifiers,
                    ..
                } if !modifiers.alt || *key == Key::ArrowDown => Some((*key, *modifiers)),
                _ => None,
            })
            .collect();
        (is_copying, keys)
    });
    if is_copying && let Some(text) = state.copied_text(df) {
        commands.push(Command::CopyText(text));
    }
    for (key, modifiers) in keys {
        press(key, modifiers, (df.height(), n_columns), state);
    }
}

/// One key. `size` is the number of rows and of columns, neither of them zero.
fn press(key: Key, modifiers: Modifiers, (n_rows, n_columns): (usize, usize), state: &mut GridState) {
    let (last_row, last_column) = (n_rows.saturating_sub(1), n_columns.saturating_sub(1));
    let page = state.rows_per_page();
    let (row, at) = state.cursor.unwrap_or((0, 0));
    let is_first = state.cursor.is_none();
    let target = match key {
        Key::ArrowDown if modifiers.alt => {
            state.is_asking_card = true;
            state.is_scrolling_to_cursor = true;
            state.cursor = Some((row, at));
            return;
        }
        Key::F10 | Key::Menu if modifiers.shift || key == Key::Menu => {
            state.is_asking_menu = true;
            state.cursor = Some((row, at));
            return;
        }
        Key::ArrowUp | Key::ArrowDown | Key::ArrowLeft | Key::ArrowRight if is_first => (0, 0),
        Key::ArrowUp if modifiers.command => (0, at),
        Key::ArrowDown if modifiers.command => (last_row, at),
        Key::ArrowUp => (row.saturating_sub(1), at),
        Key::ArrowDown => (row + 1, at),
        Key::ArrowLeft => (row, at.saturating_sub(1)),
        Key::ArrowRight => (row, at + 1),
        Key::PageUp => (row.saturating_sub(page), at),
        Key::PageDown => (row + page, at),
        Key::Home if modifiers.command => (0, 0),
        Key::End if modifiers.command => (last_row, last_column),
        Key::Home => (row, 0),
        Key::End => (row, last_column),
        Key::Escape => {
            state.cursor = None;
            state.anchor = None;
            return;
        }
        Key::Enter | Key::Space if !modifiers.command => {
            state.opened_row = state.cursor.map(|(row, _)| row);
            return;
        }
        _ => return,
    };
    let target = (target.0.min(last_row), target.1.min(last_column));
    state.cursor = Some(target);
    if !modifiers.shift || state.anchor.is_none() {
        state.anchor = Some(target);
    }
    state.is_scrolling_to_cursor = true;
}

#[cfg(test)]
mod tests {
    use egui::{Key, Modifiers};

    use super::press;
    use crate::gui::data::grid::GridState;

    #[test]
    fn keys_move_the_cursor_and_stay_inside() {
        let mut state = GridState::default();
        let mut after = |key, modifiers| {
            press(key, modifiers, (100, 3), &mut state);
            (state.cursor, state.anchor)
        };
        assert_eq!(
            after(Key::ArrowDown, Modifiers::NONE).0,
            Some((0, 0)),
            "the first key shows the cursor"
        );
        assert_eq!(after(Key::ArrowDown, Modifiers::NONE).0, Some((1, 0)));
        assert_eq!(after(Key::End, Modifiers::COMMAND).0, Some((99, 2)));
        assert_eq!(after(Key::ArrowRight, Modifiers::NONE).0, Some((99, 2)));
        assert_eq!(after(Key::Home, Modifiers::NONE).0, Some((99, 0)));
        assert_eq!(
            after(Key::ArrowUp, Modifiers::SHIFT),
            (Some((98, 0)), Some((99, 0)))
        );
        assert_eq!(after(Key::Escape, Modifiers::NONE), (None, None));
    }
}
