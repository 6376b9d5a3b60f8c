//! Reads a run into the columns of its tags and parameters, or into its default columns, and prints the times: for profilers.
//!
//! `cargo run --release --example frame -- RUN_DIRECTORY [TIMES] [default]`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use xpframe::columns::{Chosen, Selection};
use xpframe::loaded::LoadedRun;
use xpframe::progress::CancelToken;
use xpframe::records::Zone;
use xpframe::scan::TableRequest;
use xpframe::table::StringLayout;
use xpframe::workspace::Run;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("a run directory is needed")?;
    let times: usize = arguments.next().map_or(Ok(1), |times| times.parse())?;
    let is_default = arguments.next().is_some_and(|columns| columns == "default");
    for _ in 0..times {
        let start = Instant::now();
        let loaded = Arc::new(LoadedRun::new(Run::at(Path::new(&path))?, CancelToken::default()));
        let objects = loaded.objects().graph.len();
        let graph_read = start.elapsed();
        let patterns = ["job_id", "task", "tags.*", "config.*", "submitted_at"];
        let chosen = patterns.map(Chosen::new);
        let table = TableRequest {
            runs: vec![loaded],
            several_runs: false,
            distinct: false,
            tasks: None,
            selection: if is_default { Selection::Default } else { Selection::Chosen(chosen.into()) },
            max_columns: 2000,
            short_names: false,
            layout: StringLayout::View,
            zone: Zone::local(),
            results: Vec::new(),
            keep_bytes: u64::MAX,
            scope: xpframe::scan::Scope::default(),
        }
        .read()?;
        println!(
            "{objects} objects until {graph_read:?}, {} columns until {:?}",
            table.schema.fields().len(),
            start.elapsed()
        );
    }
    Ok(())
}
