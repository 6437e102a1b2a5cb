#!/bin/bash
# The real window on a virtual screen: opens the incident, plays, scrubs back, forks at 12:25 with
# the right weight, and looks at two futures. What it shows is asserted by the window's title; the
# pictures of the README and the book are made on the way.
#
#   sim-gui/tests/window.sh [FOLDER FOR PICTURES]
#
# Needs Xvfb, xdotool and ImageMagick's import; Mesa draws without a graphics card. The program is
# built before (cargo build -p sim-gui), or named in STAMPEDE_WINDOW.
set -euo pipefail
cd "$(dirname "$0")/../.."
pictures="${1:-}"
program="${STAMPEDE_WINDOW:-${CARGO_TARGET_DIR:-target}/debug/sim-gui}"

screen=":$((90 + RANDOM % 400))"
settings=$(mktemp -d)
server= window=
trap 'kill $window $server 2>/dev/null || true; rm -rf "$settings"' EXIT
Xvfb "$screen" -screen 0 1280x800x24 +extension GLX >/dev/null 2>&1 &
server=$!
export DISPLAY="$screen" WAYLAND_DISPLAY= LIBGL_ALWAYS_SOFTWARE=1 XDG_CONFIG_HOME="$settings"
sleep 2

begin() { # arguments of the program
    "$program" "$@" >/dev/null 2>&1 &
    window=$!
    id=$(timeout 60 xdotool search --sync --name '^Stampede' | tail -1)
    # It is named before it can be seen.
    for _ in $(seq 60); do xdotool windowfocus "$id" 2>/dev/null && break || sleep 0.5; done
    # Out of the way: nothing is pointed at.
    xdotool mousemove 1050 22
}
finish() {
    kill "$window"
    wait "$window" 2>/dev/null || true
}
title() { xdotool getwindowname "$id" 2>/dev/null || true; }
until_title() { # what the title must say
    for _ in $(seq 300); do
        case "$(title)" in *"$1"*) echo "ok: $1"; return ;; esac
        kill -0 "$window" 2>/dev/null || { echo "the window's program ended" >&2; exit 1; }
        sleep 0.2
    done
    echo "the title never said '$1' but '$(title)'" >&2
    exit 1
}
palette() { # a line typed into the palette
    xdotool key ctrl+k
    sleep 2
    xdotool type --delay 40 "$1"
    sleep 1.5
    xdotool key Return
    sleep 1
}
picture() { # name
    [ -z "$pictures" ] || { sleep 1; mkdir -p "$pictures"; import -window root "$pictures/$1.png"; }
}

begin incident --dark
until_title "incident at 12:10: A normal"
for _ in 1 2; do xdotool key bracketright; done
sleep 1
palette "take the lesson"
# It plays until the lesson asks its first question. The answer is given by its letter, and time goes on until it is seen.
until_title "at 12:19:48: A degraded"
picture lesson
xdotool key b
sleep 1
xdotool key Return
until_title "at 12:25: A degraded"
palette "panel: lesson"
palette "12:30:50"
until_title "at 12:30:50: A site down"
picture incident
palette "12:25"
until_title "at 12:25: A degraded"
picture skew
palette "web-1.weight = 3"
until_title "at 12:25: A degraded, B degraded"
palette "12:45"
until_title "at 12:45: A site down, B normal"
# Both futures are simulated to their end before the picture is taken.
sleep 15
picture futures
# A stretch is marked with Ctrl and measured; the name of a lane pins it. Esc takes the mark away.
xdotool mousemove 60 680 click 1
sleep 1
xdotool mousemove 212 690
sleep 1
xdotool keydown ctrl mousedown 1
sleep 1
for x in 250 300 348; do xdotool mousemove $x 690; sleep 0.3; done
sleep 1
xdotool mouseup 1
sleep 1
xdotool keyup ctrl mousemove 1050 22
sleep 2
picture measured
xdotool key Escape
sleep 1
xdotool key t
sleep 3
picture futures-light
xdotool key ctrl+z
for _ in $(seq 100); do
    case "$(title)" in *", B"*) sleep 0.2 ;; *) break ;; esac
done
case "$(title)" in *", B"*) echo "undo does not undo" >&2; exit 1 ;; esac
until_title "at 12:45: A site down"
finish

# Many runs: a comparison with one line of the palette.
begin first --dark
until_title "first at 12:00: A normal"
palette "compare balancer policies"
until_title "experiment complete"
picture experiments
palette "sweep the load"
until_title "experiment running"
until_title "experiment complete"
picture experiments-sweep
finish
echo "the window works"
