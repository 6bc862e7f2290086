//! Processor time of the window's frames while 100,000 keys list and a page loads: `logic` + `ui` + tessellation.
//!
//! `cargo bench --bench frames` makes a lake of 365 days with 274 files each, opens it, scrolls, changes tabs and moves
//! the pointer while background work runs, and prints the share of frames within 8 ms. It fails when fewer than 99 of
//! 100 are.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops at the first surprise"
)]

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use egui::{
    Context, Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, Vec2, pos2, vec2,
};
use skewer::gui::{App, FilePicker, Picked, Setup, Start};
use skewer::storage::{Connection, Location};

const N_DAYS: u32 = 365;
const N_FILES: u32 = 274;
const BUDGET: Duration = Duration::from_millis(8);
const SIZE: Vec2 = vec2(1600.0, 1000.0);

/// Answers every dialog with "cancelled".
struct NoDialogs;

impl FilePicker for NoDialogs {
    fn pick_folder(&self, _title: &str) -> Picked {
        Box::pin(async { None })
    }
    fn pick_file(&self) -> Picked {
        Box::pin(async { None })
    }
    fn pick_log(&self) -> Picked {
        Box::pin(async { None })
    }
    fn pick_session(&self) -> Picked {
        Box::pin(async { None })
    }
    fn pick_recipe(&self) -> Picked {
        Box::pin(async { None })
    }
    fn save_file(&self, _name: &str) -> Picked {
        Box::pin(async { None })
    }
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    make_lake(folder.path());
    let ctx = Context::default();
    let setup = Setup {
        start: Start {
            location: Some(Location::Local(folder.path().join("raw"))),
            connection: Connection::default(),
        },
        config: None,
        cache: folder.path().join("cache"),
        picker: Box::new(NoDialogs),
        has_system_fonts: true,
    };
    let started = Instant::now();
    let mut app = App::new(&ctx, setup).unwrap();
    let mut times = Vec::new();
    let (mut n_busy, mut n_idle) = (0_u32, 0_u32);
    // Until the work has ended and the window was used for a while after it.
    while n_idle < 300 {
        if app.is_idle() && n_busy > 10 {
            n_idle += 1;
        } else {
            n_busy += 1;
        }
        times.push(frame(&ctx, &mut app, n_busy + n_idle));
        // Sixty frames a second, as a display would ask for.
        std::thread::sleep(Duration::from_millis(8));
    }
    let listed = started.elapsed();
    let first = times.first().copied().unwrap_or_default();
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() - 1) * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let n_within = times.iter().filter(|time| **time <= BUDGET).count();
    let share = n_within as f64 / times.len() as f64;
    println!(
        "{} keys, {} frames ({n_busy} while work ran), {listed:.1?} in all",
        N_DAYS * N_FILES,
        times.len()
    );
    println!(
        "first {first:.2?}, p50 {:.2?}, p99 {:.2?}, longest {:.2?}",
        at(50),
        at(99),
        at(100)
    );
    println!("{:.2}% of frames within {BUDGET:?}", share * 100.0);
    if share >= 0.99 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn make_lake(root: &Path) {
    let line = "{\"id\":1,\"title\":\"看護師 store manager\",\"location\":{\"country\":\"US\"},\"tags\":[\"a\",\"b\"]}\n";
    let content = line.repeat(5);
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
    for day in first.iter_days().take(N_DAYS as usize) {
        let folder = root.join("raw").join(day.format("%Y/%m/%d").to_string());
        fs::create_dir_all(&folder).unwrap();
        for file in 0..N_FILES {
            fs::write(folder.join(format!("part-{file:05}.jsonl")), &content).unwrap();
        }
    }
}

/// Draws one frame with the input of a person at work. Returns the processor time it took on this thread.
fn frame(ctx: &Context, app: &mut App, number: u32) -> Duration {
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
        time: Some(f64::from(number) / 60.0),
        ..RawInput::default()
    };
    let over = pos2(
        300.0 + (number * 7 % 900) as f32,
        120.0 + (number * 5 % 600) as f32,
    );
    input.events.push(Event::PointerMoved(over));
    if number % 20 < 10 {
        let delta = vec2(0.0, if number % 40 < 20 { -40.0 } else { 40.0 });
        let (unit, phase) = (MouseWheelUnit::Point, egui::TouchPhase::Move);
        input.events.push(Event::MouseWheel {
            unit,
            delta,
            phase,
            source: egui::MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        });
    }
    // The tabs, in turn: Partitions and Data.
    if number % 60 == 30 {
        let pos = if number % 120 == 30 {
            pos2(396.0, 58.0)
        } else {
            pos2(325.0, 58.0)
        };
        for pressed in [true, false] {
            let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
            input.events.push(Event::PointerMoved(pos));
            input.events.push(Event::PointerButton {
                pos,
                button,
                pressed,
                modifiers,
            });
        }
    }
    let before = ThreadTime::now();
    let output = ctx.run_ui(input, |ui| app.frame(ui));
    let drawn = ctx.tessellate(output.shapes, output.pixels_per_point);
    let time = before.elapsed();
    assert!(!drawn.is_empty());
    time
}
