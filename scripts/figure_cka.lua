#!/usr/bin/env mtrepl
-- One figure of the midtraining paper; scripts/paper.lua makes all of them, --help lists the options.
local here = arg[0]:match("^(.*/)") or "./"
dofile(here .. "paper_figures.lua").main("cka", "Change of hidden states by finetuning, layer by layer.")
