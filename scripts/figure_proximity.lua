#!/usr/bin/env mtrepl
-- One figure of the midtraining paper; scripts/paper.lua makes all of them, --help lists the options.
local here = arg[0]:match("^(.*/)") or "./"
dofile(here .. "paper_figures.lua").main("proximity", "Proximity advantage against gain.")
