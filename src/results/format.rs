//! Which format a file has: by its name, checked against its content by the reader of that format.

use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};

/// A format that results are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object, or a list of objects
    Json,
    /// A JSON object a line
    JsonLines,
    /// Cells separated by commas, with a header
    Csv,
    /// Cells separated by tabs, with a header
    Tsv,
    /// Event files of `TensorBoard`, or a directory of them
    TensorBoard,
    /// Lines of measure, query and value, as `trec_eval` writes them
    Trec,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Json, Self::JsonLines, Self::Csv, Self::Tsv, Self::TensorBoard, Self::Trec];

    /// The name of the format, as in `format="csv"`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::TensorBoard => "tensorboard",
            Self::Trec => "trec",
        }
    }

    /// The format of a name.
    ///
    /// # Errors
    /// `InvalidArgument`: there is no such format.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let error = Error::new(ErrorKind::InvalidArgument, format!("no result format {}", quoted(name)));
            let formats = format!("the formats are {}", names.join(", "));
            error.hint(did_you_mean(name, names).unwrap_or(formats))
        })
    }

    /// The format that the name of a file promises; nothing where only the content can tell.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        if is_event_file(name) {
            return Some(Self::TensorBoard);
        }
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            _ => return None,
        })
    }
}

/// Whether `TensorBoard` takes a file of this name for an event file.
#[must_use]
pub fn is_event_file(name: &str) -> bool {
    name.contains("tfevents") && !name.ends_with(".profile-empty")
}

/// How to read a file whose format is none of ours, by its name.
fn advice(name: &str) -> String {
    let reader = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "parquet" => Some("polars.read_parquet"),
        "feather" | "arrow" | "ipc" => Some("polars.read_ipc"),
        "npy" | "npz" => Some("numpy.load"),
        "xlsx" => Some("pandas.read_excel"),
        "h5" | "hdf5" => Some("h5py.File"),
        "pt" | "pth" | "ckpt" => Some("torch.load"),
        _ => None,
    };
    let formats = Format::ALL.map(Format::name).join(", ");
    match reader {
        Some(reader) => format!("read it with {reader} from the column result@path"),
        None => {
            format!("give its format ({formats}, or a function from a path to a dict) in Result(…, format=)")
        }
    }
}

/// The error of a file of unknown format.
pub(super) fn unknown(name: &str, content: &[u8]) -> Error {
    let looks = match content.trim_ascii_start() {
        [b'{' | b'[', ..] => " (it begins like JSON)",
        _ if content.contains(&0) => " (it is binary)",
        _ => "",
    };
    Error::format(format!("its name does not say which format it has{looks}")).hint(advice(name))
}

/// Whether text is written as `measure query value`: at least half of the lines of its beginning have these fields, and one of
/// them has a number or belongs to the query `all`.
pub(super) fn looks_like_trec(beginning: &[u8]) -> bool {
    let (mut good, mut bad, mut is_measure) = (0, 0, false);
    for line in beginning.split(|&byte| byte == b'\n') {
        if super::trec::is_skipped(line) {
            continue;
        }
        match super::trec::fields(line) {
            Some([_, query, value]) => {
                good += 1;
                let number = !matches!(super::cells::Cell::of(value), super::cells::Cell::Text);
                is_measure |= number || query == b"all";
            }
            None => bad += 1,
        }
    }
    is_measure && good >= bad && !beginning.contains(&0)
}
