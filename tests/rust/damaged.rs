//! Files of real runs, cut at any byte or damaged otherwise: what is whole comes back, what is lost is told.
