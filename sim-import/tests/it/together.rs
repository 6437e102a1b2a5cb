//! Several files as one system.

use crate::world::{World, together};
use sim_import::settings::Kind;

#[test]
fn a_proxy_before_a_mesh_hands_on_to_it() {
    let world = World(vec![
        (
            "edge.conf",
            "worker_processes 2;\nupstream mesh { server envoy-1:8443; server envoy-2:8443; }\nserver { location / { proxy_pass http://mesh; proxy_read_timeout 9s; } }\n",
        ),
        (
            "mesh.yaml",
            "static_resources:\n  listeners:\n  - address: { socket_address: { address: 0.0.0.0, port_value: 8443 } }\n    filter_chains: [ { filters: [ { typed_config: { route_config: { virtual_hosts: [ { routes: [ { match: { prefix: / }, route: { cluster: app } } ] } ] } } } ] } ]\n  clusters:\n  - name: app\n    load_assignment: { endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 192.0.2.1, port_value: 80 } } } } ] } ] }\n",
        ),
    ]);
    let both = together(&world);
    both.says(
        "[service.mesh.balancer]",
        "routes = [{ to = \"app\", client = { timeout = \"9s\" } }]",
    );
    both.says("[service.mesh.balancer]", "instances = 2");
    both.says("[service.app.balancer]", "instances = 2");
    assert_eq!(
        both.model.sources.len(),
        1,
        "what comes, comes through the edge"
    );
    both.remarks(Kind::Read, 2, "mesh.yaml listens there");
}

#[test]
fn files_that_have_nothing_to_do_with_each_other_stand_side_by_side() {
    let world = World(vec![
        (
            "a.conf",
            "upstream a { server 192.0.2.1:80; }\nserver { listen 80; location / { proxy_pass http://a; } }\n",
        ),
        (
            "b.conf",
            "upstream b { server 192.0.2.2:81; }\nserver { listen 81; location / { proxy_pass http://b; } }\n",
        ),
    ]);
    assert_eq!(together(&world).model.services.len(), 2);
}
