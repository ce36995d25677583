-- The directional claims of the paper, each with what was measured here and whether that bears it out.
-- A claim is about several comparisons, and is judged by Bonferroni's intervals over them (95% for all together): it holds when
-- every one lies on its side of zero; in part when some do and none lies on the other side; otherwise it is undecided, mixed or
-- contradicted. `how`: at each arm's "own" learning rate of finetuning, or at "one" for all arms.
local function seeds(n) return n == 1 and "1 seed" or n .. " seeds" end

-- The two-sided p of so many of n signs when both are equally likely.
local function sign_test(count, n)
  local tail, ways = 0, 0.5 ^ n
  for k = 0, math.min(count, n - count) do
    tail = tail + ways
    ways = ways * (n - k) / (k + 1)
  end
  return math.min(1, 2 * tail)
end

local function claims(s, figures, how)
  local results = figures.results
  local rows = {}
  local function add(name, claim, found, verdict, n) rows[#rows + 1] = { name, claim, found, verdict, n } end

  -- sign: -1 when the differences should be below zero, 1 when above.
  local function judge(name, claim, differences, sign)
    if #differences == 0 then return end
    local texts, with, against, n = {}, 0, 0, nil
    for index, item in ipairs(differences) do
      local d = item[2]
      texts[index] = item[1] .. " " .. results.signed(d.mean, d.half_width, 3)
      n = math.min(n or d.n, d.n)
      if d.simultaneous then
        if sign * d.mean - d.simultaneous > 0 then with = with + 1 end
        if sign * d.mean + d.simultaneous < 0 then against = against + 1 end
      end
    end
    local verdict = with == #differences and "holds" or against == #differences and "contradicted"
      or with > 0 and against == 0 and ("holds in %d of %d"):format(with, #differences)
      or against > 0 and ("mixed: %d for, %d against, of %d"):format(with, against, #differences) or "undecided"
    add(name, claim, table.concat(texts, "; "), verdict, seeds(n))
  end

  if s.results then
    local count = #s.targets
    local matched, mismatched, over, forgetting, over_general = {}, {}, {}, {}, {}
    local different, loud, same, pairs_of_seeds = 0, 0, 0, 0
    for _, target in ipairs(s.targets) do
      local losses = results.of(s, target)[how].losses
      local function of(list, what, arm, reference)
        local d = results.difference(losses, what, arm, reference, count)
        if d then list[#list + 1] = { target.name, d } end
        return d
      end
      for _, value in ipairs((of(matched, "target", target.match, "control") or { list = {} }).list) do
        pairs_of_seeds = pairs_of_seeds + 1
        if value < 0 then same = same + 1 end
      end
      of(over, "target", target.match, "continued")
      of(over_general, "general", target.match, "continued")
      of(forgetting, "general", "continued", "control")
      for _, mix in ipairs(s.mixes) do
        -- Of a target without a text made for it, nobody can say what is mismatched.
        local d = target.match and mix.name ~= target.match
          and results.difference(losses, "target", mix.name, "control", count * (#s.mixes - 1))
        if d then
          mismatched[#mismatched + 1] = d
          if d.simultaneous and math.abs(d.mean) > d.simultaneous then different = different + 1 end
          local noise = results.deviation(d.references)
          if noise and math.abs(d.mean) > noise then loud = loud + 1 end
        end
      end
    end
    judge("D1", "matched midtraining lowers the target's loss", matched, -1)
    if #mismatched > 0 then
      local largest, sum, all = mismatched[1], 0, 0
      for _, d in ipairs(mismatched) do
        if math.abs(d.mean) > math.abs(largest.mean) then largest = d end
        sum = sum + math.abs(d.mean)
      end
      for _, item in ipairs(matched) do all = all + math.abs(item[2].mean) end
      add("D2", "mismatched midtraining does nothing",
        ("mean |Δ| %.3f (matched: %.3f), largest %+.3f; beyond the control's spread over seeds: %d of %d; different from zero: %d of %d")
          :format(sum / #mismatched, all / math.max(1, #matched), largest.mean, loud, #mismatched, different, #mismatched),
        different == 0 and "not contradicted" or ("contradicted in %d of %d"):format(different, #mismatched),
        seeds(mismatched[1].n))
    end
    judge("D3a", "midtraining beats continued pretraining on the target", over, -1)
    judge("D3b", "and on the general text", over_general, -1)
    judge("D4", "continued pretraining forgets more than the control", forgetting, 1)
    if pairs_of_seeds > 0 then
      local p = sign_test(same, pairs_of_seeds)
      add("D8", "D1 holds for every trunk seed",
        ("%d of %d pairs of a seed and a target are below zero; p = %s (sign test)"):format(same, pairs_of_seeds, results.p(p)),
        p >= 0.05 and "undecided" or same == pairs_of_seeds and "holds" or same == 0 and "not held"
          or 2 * same > pairs_of_seeds and ("holds in %d of %d"):format(same, pairs_of_seeds)
          or ("not held in %d of %d"):format(pairs_of_seeds - same, pairs_of_seeds), pairs_of_seeds .. " pairs")
    end
  end
  if s.correlations then
    local v = results.correlation(s, how).values
    local r, by_target = v.pearson, v.pearson_by_target or {}
    local lowest
    for _, target in ipairs(s.targets) do
      local left = v["pearson_without_" .. target.name]
      if left and (not lowest or left.value < lowest[2]) then lowest = { target.name, left.value } end
    end
    -- Both ways of resampling, as each alone is too sure of itself with few targets.
    local holds = r.low and r.low > 0 and by_target.low and by_target.low > 0 and v.within_target_p and v.within_target_p < 0.05
    add("D5", "the gain grows with proximity advantage",
      ("r = %s over points, %s over targets; rho = %.2f; p within targets %s%s"):format(
        results.interval(r, 2), by_target.low and ("[%.2f, %.2f]"):format(by_target.low, by_target.high) or "unknown",
        v.spearman.value, v.within_target_p and results.p(v.within_target_p) or "unknown",
        lowest and ("; least r without a target: %.2f (%s)"):format(lowest[2], lowest[1]) or ""),
      holds and (lowest and lowest[2] > 0 and "holds" or "holds, but hangs on one target")
        or by_target.high and by_target.high < 0 and "contradicted" or "undecided", v.points .. " points")
  end
  for _, exposure in ipairs(how == "own" and { "raw", "matched" } or {}) do
    local found = s.timing and s.timing[exposure]
    if found then
      local v = found.values
      local change = v.interaction_change
      if type(change) ~= "table" then change = { value = change } end
      add(exposure == "raw" and "D6" or "D6m",
        "a high weight helps more the earlier it starts" .. (exposure == "matched" and ", at equal exposure" or ""),
        ("interaction %s; analysis of variance p = %s"):format(results.interval(change), results.p(v.interaction_p)),
        change.low and change.low > 0 and "holds" or change.high and change.high < 0 and "contradicted" or "undecided",
        seeds(s.size.grid_seeds))
    end
  end
  if how == "own" and s.cka and #s.cka > 0 then
    local differences = {}
    for index, item in ipairs(s.cka) do
      local d = mt.paired(item[2], item[3])
      d.simultaneous = mt.paired(item[2], item[3], 1, 1 - 0.05 / #s.cka).half_width
      differences[index] = { item[1], d }
    end
    judge("D7", "the last layer changes less when midtrained (difference of CKA; one learning rate)", differences, 1)
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end

-- The first section: what was claimed and found.
return function(s, figures)
  local columns = { "", "claim", "measured (nats a token, unless it says otherwise)", "verdict", "n" }
  local own = claims(s, figures, "own")
  local section = { "Claims", { columns = columns, rows = own,
    caption = "The paper's directional claims on these data. ±: half of Student's 95% interval over seeds, paired. Verdicts take Bonferroni's intervals over the comparisons of a claim; nothing is corrected for the number of claims." } }
  if #s.size.finetune.learning_rate > 1 then
    local one = claims(s, figures, "one")
    if #one > 0 then
      section[#section + 1] = { columns = columns, rows = one,
        caption = "The same with one learning rate of finetuning for all arms of a target, that of the lowest mean loss on valid. A higher rate forgets more whatever the arm: what D3b and D4 say of the general text is to be read here." }
    end
  end
  return section
end
