//! Skewer: browse a date-partitioned data lake, prototype feature transforms, see where it is skewed, and run the
//! finished transform as a batch job. One engine in the window and in the runner: what was seen is what is computed.
//!
//! This page is the map. The rooms, in the order the data flows:
//!
//! ```text
//! storage ──► dataset ──► transform ──► run ──► (Parquet, report)
//!    │           │            │          ▲
//!    │           ├─► profile ─┼─► explore │
//!    └───────────┴────────────┴─► job ───┘         cli and gui stand on top of all of them
//! ```
//!
//! | room | answers | may import |
//! |---|---|---|
//! | [`base`] | words everyone uses: cancel, progress, units, hints, accuracy, the versioned YAML envelope. No I/O | nothing |
//! | [`storage`] | where bytes are: `Location`, connections and credentials, listing, the partition layout read from keys | base |
//! | [`dataset`] | what bytes mean: formats and codecs, schema, JSONL decoder, Parquet footers, bounded pages, rejects | base storage |
//! | [`transform`] | `Recipe` = ordered `Step`s → checked `Plan` → polars `LazyFrame`. Opens no data | base dataset |
//! | [`profile`] | what listings, batches of rows and logs say: partition skew, keys and where Spark's hash sends them, columns and their drift, keys by partition, what ran; findings | base storage dataset |
//! | [`explore`] | runs recipes on samples: rows and ledger of each step, kept for the next edit; fitting; suggestions; one pass over all rows of partitions for profiles; opens event logs | base storage dataset transform profile |
//! | [`chart`] | a chart as plain data, made from listings and profiles; drawn to SVG and PNG | base storage profile |
//! | [`job`] | `JobSpec` as written → `Job` as validated; exporters, one file per target. Runs nothing | base storage dataset transform |
//! | [`run`] | executes a `Job`: list, fetch, decode, transform, write, commit, report | base storage dataset transform profile job |
//! | [`session`] | the document a person edits: source, recipe, settings; undo history; versioned file | base storage dataset transform profile job |
//! | [`task`] | background work for a window: lanes, cancellation, slots. Knows no egui | base |
//! | [`sample`] | the sample lake: a deterministic generator of raw, processed, clicks and impressions data | base |
//! | [`cli`] | front end 1, one file per subcommand | all but gui, task, session |
//! | `gui` | front end 2; the only code that knows egui | all but cli |
//!
//! `tests/it/tidy.rs` reads the imports and holds the code to this table.
//!
//! What is deliberately absent: a scheduler (SageMaker, Batch, Kubernetes or Spark start the same binary), a second
//! engine (Spark executors run this one), and inference at run time (a run reads by the schema its spec froze).

pub mod base;
pub mod chart;
pub mod cli;
pub mod dataset;
pub mod explore;
#[cfg(feature = "gui")]
pub mod gui;
pub mod job;
pub mod profile;
pub mod run;
pub mod sample;
pub mod session;
pub mod storage;
pub mod task;
pub mod transform;
