//! Access logs and results of load tests, as arrivals and demand.
