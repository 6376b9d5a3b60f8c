//! What jobs wrote: result files as values, one record a job, and as rows.
//!
//! [`locate`] finds the files of a handle in the directory of a job, [`read_scalars`] reads the result of each job into records
//! of one [`Store`](crate::values::Store) (as tags are, so that columns are made of them in the same way), and [`read_series`]
//! hands on the rows of one job. Which format a file has is decided by its name ([`Format::of_name`]) and checked against its
//! content. Nothing is guessed: what cannot be read is in the errors, with file, line and job, and [`FileState`] says what
//! became of each file.
//!
//! Result files are written by users' code: they may be large, damaged or hostile. Memory is bounded by the longest record that
//! is read (32 MiB) and by one block of rows; event files and trec text by the points of one run directory or file.

mod board;
mod cells;
mod csv;
mod csv_records;
mod documents;
mod events;
mod file_schema;
mod format;
mod handle;
mod lines;
mod locate;
mod pins;
mod problems;
mod proto;
mod scalars;
mod select;
mod series;
mod source;
mod state;
mod table;
mod trec;
mod user_format;
mod wanted;

pub use board::Points;
pub use cells::CellType;
pub use csv::CsvOptions;
pub use file_schema::FileSchema;
pub use format::{Format, is_event_file};
pub use handle::{Handle, HandleReport, PathParameter, is_own, path_parameters};
pub use locate::{Entry, Located, PathGlob, RunDirectory, Target, locate};
pub use pins::Pins;
pub use scalars::{JobResult, ResultJob, ResultOptions, Scalars, read_scalars};
pub use select::Select;
pub use series::{Rows, SeriesBatch, SeriesEnd, SeriesOptions, read_series};
pub use state::FileState;
pub use table::{Cells, Table, TableColumn, Texts};
pub use trec::{MeasureKind, Measures};
pub use user_format::FileReader;
pub use wanted::Patterns;
