-- The directional claims of the paper, each with what was measured here and whether that bears it out.
-- A claim holds when the 95% interval of every comparison that it is about lies on its side of zero; it holds in part when
-- some do and none lies on the other side; otherwise it is undecided, or contradicted.
local function claims(s, figures)
  local rows = {}
  local function add(name, claim, found, verdict, n) rows[#rows + 1] = { name, claim, found, verdict, n } end
  local function signed(d)
    return d.half_width and ("%+.3f ±%.3f"):format(d.mean, d.half_width) or ("%+.3f"):format(d.mean)
  end

  -- sign: -1 when the differences should be below zero, 1 when above.
  local function judge(name, claim, differences, sign)
    local texts, with, against, n = {}, 0, 0, nil
    for index, item in ipairs(differences) do
      local d = item[2]
      texts[index] = item[1] .. " " .. signed(d)
      n = math.min(n or d.n, d.n)
      if d.half_width then
        if sign * d.mean - d.half_width > 0 then with = with + 1 end
        if sign * d.mean + d.half_width < 0 then against = against + 1 end
      end
    end
    if #differences == 0 then return end
    local verdict = with == #differences and "holds" or against == #differences and "contradicted"
      or with > 0 and against == 0 and ("holds in %d of %d"):format(with, #differences)
      or against > 0 and ("mixed: %d for, %d against, of %d"):format(with, against, #differences) or "undecided"
    add(name, claim, table.concat(texts, "; "), verdict, n)
  end

  if s.results then
    local matched, mismatched, over, forgetting, over_general = {}, {}, {}, {}, {}
    local within, loud, same, pairs_of_seeds = 0, 0, 0, 0
    for _, target in ipairs(s.targets) do
      local losses = figures.target_result(s, target).losses
      local function of(what, arm, reference) return figures.difference(losses, what, arm, reference) end
      local d = of("target", target.match, "control")
      if d then
        matched[#matched + 1] = { target.name, d }
        for _, value in ipairs(d.list) do
          pairs_of_seeds = pairs_of_seeds + 1
          if value < 0 then same = same + 1 end
        end
      end
      for _, mix in ipairs(s.mixes) do
        local other = mix.name ~= target.match and of("target", mix.name, "control")
        if other then
          mismatched[#mismatched + 1] = other
          if other.half_width and math.abs(other.mean) > other.half_width then loud = loud + 1 else within = within + 1 end
        end
      end
      local c = of("target", target.match, "continued")
      if c then over[#over + 1] = { target.name, c } end
      c = of("general", target.match, "continued")
      if c then over_general[#over_general + 1] = { target.name, c } end
      c = of("general", "continued", "control")
      if c then forgetting[#forgetting + 1] = { target.name, c } end
    end
    judge("D1", "matched midtraining lowers the target's loss", matched, -1)
    if #mismatched > 0 then
      local largest, sum = 0, 0
      for _, d in ipairs(mismatched) do
        largest, sum = math.max(largest, math.abs(d.mean)), sum + math.abs(d.mean)
      end
      add("D2", "mismatched midtraining does nothing",
        ("mean |Δ| %.3f, largest %.3f; the interval holds zero in %d of %d"):format(sum / #mismatched, largest, within, #mismatched),
        loud == 0 and "not contradicted" or ("contradicted in %d of %d"):format(loud, #mismatched), mismatched[1].n)
    end
    judge("D3a", "midtraining beats continued pretraining on the target", over, -1)
    judge("D3b", "and on the general text", over_general, -1)
    judge("D4", "continued pretraining forgets more than the control", forgetting, 1)
    if pairs_of_seeds > 0 then
      add("D8", "D1 holds for every trunk seed", ("%d of %d pairs of a seed and a target are below zero"):format(same, pairs_of_seeds),
        same == pairs_of_seeds and "holds" or ("holds in %d of %d"):format(same, pairs_of_seeds), pairs_of_seeds)
    end
  end
  if s.correlation then
    local c = s.correlation
    local r = c.pearson
    add("D5", "the gain grows with proximity advantage",
      ("r = %.2f [%.2f, %.2f], rho = %.2f"):format(r.value, r.low or 0 / 0, r.high or 0 / 0, c.spearman.value),
      r.low and r.low > 0 and "holds" or r.high and r.high < 0 and "contradicted" or "undecided", c.n)
  end
  for _, how in ipairs { "raw", "matched" } do
    local found = s.timing and s.timing[how]
    if found then
      local change, p = found.values.interaction_change, found.values.interaction_p
      local value = type(change) == "table" and change or { value = change }
      add(how == "raw" and "D6" or "D6m", "a high weight helps more the earlier it starts" .. (how == "matched" and ", at equal exposure" or ""),
        ("interaction %+.3f%s, p = %.2g"):format(value.value, value.low and (" [%+.3f, %+.3f]"):format(value.low, value.high) or "", p),
        value.low and value.low > 0 and "holds" or value.high and value.high < 0 and "contradicted" or "undecided", s.size.grid_seeds)
    end
  end
  if s.cka and #s.cka == 2 then
    local first, second = {}, {}
    local control, mid = s.cka[1][#s.cka[1]], s.cka[2][#s.cka[2]]
    for seed = 1, #control do first[seed], second[seed] = mid[seed], control[seed] end
    judge("D7", "late layers change less when midtrained (CKA)", { { s.targets[1].name, mt.paired(first, second) } }, 1)
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return { "Claims", { columns = { "", "claim", "measured (nats a token, unless it says otherwise)", "verdict", "n" }, rows = rows,
    caption = "The paper's directional claims on these data. ±: half of Student's 95% interval over n seeds, paired; not corrected for the number of claims." } }
end

return claims
