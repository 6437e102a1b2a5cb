//! Hosts and ports that names of servers stand for.

use sim_core::ids::Id;
use sim_core::model::{Model, Server, Service};

/// The port of a server whose name has none.
const PORT: usize = 80;

/// Where a server listens, as far as its name says it: importers make `10-0-0-1-8080` of an address.
pub(super) fn host_and_port(server: &Server, service: &Service, model: &Model) -> (String, usize) {
    let name = server.name.as_str();
    if let Some((host, end)) = name.rsplit_once('-')
        && let Some(port) = port(end)
        && !host.is_empty()
    {
        let usual = matches!(port, 80 | 443) || port >= 1000;
        // The last of many copies has a number as well.
        let first = format!("{host}-1");
        let mut names = (service.servers.iter()).map(|id| &model.servers[id.position()].name);
        match quad(host) {
            Some(address) => return (address, port),
            None if usual && !names.any(|name| *name == first) => return (host.to_owned(), port),
            None => {}
        }
    }
    (quad(name).unwrap_or_else(|| name.to_owned()), PORT)
}

fn port(text: &str) -> Option<usize> {
    let number = text.parse::<u16>().ok().filter(|port| *port > 0)?;
    (!text.starts_with(['0', '+'])).then_some(usize::from(number))
}

/// Four numbers as an address.
fn quad(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('-').collect();
    let fits = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    fits.then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports_are_known_by_their_numbers() {
        let text = "horizon = \"1m\"\ntraffic = [{ to = \"web\", rate = 1 }]\n[service.web]\ndemand = \"1ms\"\nserver = [\
            { name = \"10-0-0-1-70\", workers = 1 }, { name = \"10-0-0-2\", workers = 1 }, { name = \"shop-8080\", workers = 1 },\
            { name = \"shop-81\", workers = 1 }, { name = \"web\", count = 1001, workers = 1 }]\n";
        let model = sim_core::scenario::parse(text).expect("valid");
        let of = |name: &str| {
            let server = model.servers.iter().find(|own| own.name == name);
            let (host, port) = host_and_port(server.expect(name), &model.services[0], &model);
            format!("{host}:{port}")
        };
        for (name, address) in [
            ("10-0-0-1-70", "10.0.0.1:70"),
            ("10-0-0-2", "10.0.0.2:80"),
            ("shop-8080", "shop:8080"),
            ("shop-81", "shop-81:80"),
            ("web-7", "web-7:80"),
            ("web-1001", "web-1001:80"),
        ] {
            assert_eq!(of(name), address);
        }
    }
}
