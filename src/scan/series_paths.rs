//! What decided the columns of a series, as bytes for another process that reads some of the jobs.

use super::series_rows::Kind;
use crate::columns::{PathTree, StoredPaths};
use crate::error::{Error, ErrorKind, Result};

/// The first line: bytes of another layout are refused.
const VERSION: &str = "xpframe series 1";

/// What decided the columns of a series.
#[derive(Debug, Clone)]
pub struct SeriesPaths {
    /// The paths and types of the jobs, whose columns rows repeat
    pub(super) jobs: StoredPaths,
    /// The paths and types of the rows
    pub(super) tree: PathTree,
    pub(super) kind: Option<Kind>,
    /// Whether some job has several files
    pub(super) has_files: bool,
}

impl SeriesPaths {
    /// The paths as bytes for [`Self::from_bytes`] of the same version of this crate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let rows = StoredPaths { tree: self.tree.clone(), upstream: None, may_repeat: false };
        let (jobs, rows) = (self.jobs.to_bytes(), rows.to_bytes());
        let kind = match self.kind {
            None => "none",
            Some(Kind::Points) => "points",
            Some(Kind::Measures) => "measures",
            Some(Kind::Records) => "records",
        };
        let mut bytes = format!("{VERSION}\t{kind}\t{}\t{}\n", self.has_files, jobs.len()).into_bytes();
        bytes.extend(jobs);
        bytes.extend(rows);
        bytes
    }

    /// The paths that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// `InvalidArgument`: the bytes are of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refused = || {
            Error::new(ErrorKind::InvalidArgument, "columns of another version of xpframe, or damaged ones")
                .hint("make the parts again, with the xpframe that reads them")
        };
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(refused)?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| refused())?;
        let [VERSION, kind, has_files, length] = head.split('\t').collect::<Vec<_>>()[..] else {
            return Err(refused());
        };
        let kind = match kind {
            "none" => None,
            "points" => Some(Kind::Points),
            "measures" => Some(Kind::Measures),
            "records" => Some(Kind::Records),
            _ => return Err(refused()),
        };
        let length: usize = length.parse().map_err(|_| refused())?;
        let (jobs, rows) = bytes[end + 1..].split_at_checked(length).ok_or_else(refused)?;
        Ok(Self {
            jobs: StoredPaths::from_bytes(jobs)?,
            tree: StoredPaths::from_bytes(rows)?.tree,
            kind,
            has_files: has_files.parse().map_err(|_| refused())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_return_from_their_bytes_and_damaged_ones_are_refused() {
        let jobs = StoredPaths { tree: PathTree::new(10), upstream: None, may_repeat: false };
        let paths = SeriesPaths { jobs, tree: PathTree::new(9), kind: Some(Kind::Measures), has_files: true };
        let bytes = paths.to_bytes();
        assert_eq!(format!("{:?}", SeriesPaths::from_bytes(&bytes).unwrap()), format!("{paths:?}"));
        for end in 0..bytes.len() {
            assert!(SeriesPaths::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
    }
}
