#include "lib/report/html.h"

namespace limbeck::html {
namespace {

constexpr const char* kColours = R"css(
:root{color-scheme:light dark;
--paper:#faf9f6;--card:#fff;--ink:#1c1b19;--soft:#5c5952;--line:#e3dfd6;
--data:#2f5f93;--data-soft:#cfdded;--hot:#b0460d;--hot-soft:#fae3d3;--good:#2a6943;--good-soft:#dcece2}
@media (prefers-color-scheme:dark){:root{
--paper:#131416;--card:#1b1d20;--ink:#ebe8e2;--soft:#a8a49c;--line:#33363b;
--data:#8fbae6;--data-soft:#2b405a;--hot:#f4a26a;--hot-soft:#4d2e19;--good:#8fcda8;--good-soft:#1f3b2b}}
)css";

constexpr const char* kText = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:66rem;padding:2rem 1rem 3rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
font-variant-numeric:tabular-nums}
h1,h2,h3,p,figure,dl,dd{margin:0}
h1{font-size:clamp(1.45rem,1.1rem + 1.7vw,2.15rem);line-height:1.2;letter-spacing:-.015em;font-weight:650;
overflow-wrap:anywhere}
h2{font-size:1.2rem;font-weight:650;letter-spacing:-.005em;margin-bottom:.35rem}
h3{font-size:.95rem;font-weight:600;line-height:1.4;margin-bottom:.5rem}
.eyebrow{font-size:.75rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin-bottom:.4rem}
.sub{color:var(--soft);margin-top:.45rem}
.lead,.note{color:var(--soft);max-width:46rem}
.lead{margin-bottom:1rem}
.note{font-size:.85rem;margin-top:.6rem}
.name{overflow-wrap:anywhere;unicode-bidi:isolate}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86em;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.85rem;margin-top:2.5rem}
a{color:inherit}
)css";

constexpr const char* kBlocks = R"css(
.verdict{margin-top:1.25rem;padding:.9rem 1.1rem;border-left:4px solid var(--soft);border-radius:.35rem;
background:var(--card);font-size:1.08rem;line-height:1.5}
.verdict b{display:block;font-size:.78rem;letter-spacing:.05em;text-transform:uppercase;margin-bottom:.15rem;color:var(--soft)}
.verdict.good{border-color:var(--good);background:var(--good-soft)}.verdict.good b{color:var(--good)}
.verdict.bad{border-color:var(--hot);background:var(--hot-soft)}.verdict.bad b{color:var(--hot)}
.cards{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));margin:1.25rem 0 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.85rem 1rem .95rem;min-width:0}
.card.wide{grid-column:span 2}
.label{font-size:.82rem;color:var(--soft)}
.value{font-size:1.6rem;font-weight:650;letter-spacing:-.02em;line-height:1.25;white-space:nowrap}
.value i{font-style:normal;font-weight:400;color:var(--soft)}
.value small{font-size:.58em;font-weight:500;letter-spacing:0;color:var(--soft)}
.detail{font-size:.82rem;color:var(--soft);line-height:1.4;margin-top:.25rem}
section{margin-top:2.5rem}
.panel{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.1rem;min-width:0}
.pair{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr))}
.panel+.panel,.pair+.panel,.panel+.pair,.panel+details,.pair+.pair{margin-top:.75rem}
.pair>.panel+.panel{margin-top:0}
.facts>div{display:grid;grid-template-columns:9.5rem 1fr;gap:.1rem 1rem;padding:.4rem 0;border-top:1px solid var(--line)}
.facts>div:first-child{border-top:0;padding-top:0}
.facts dt{color:var(--soft)}.facts dd{min-width:0;overflow-wrap:anywhere}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
@media (max-width:34rem){body{padding-top:1.25rem}.facts>div{grid-template-columns:1fr}.value{font-size:1.42rem}
.cards{grid-template-columns:1fr 1fr}.card.wide~.card:last-child:nth-child(even){grid-column:1/-1}}
)css";

constexpr const char* kTables = R"css(
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{font-weight:500;color:var(--soft);font-size:.8rem;text-align:left;vertical-align:bottom;padding:.15rem .5rem .4rem 0}
td{padding:.42rem .5rem .42rem 0;border-top:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap}
td small{display:block;color:var(--soft);font-size:.8rem}
tr.worst .badge,.badge{display:inline-block;min-width:1.35rem;text-align:center;border-radius:.7rem;font-size:.75rem;
line-height:1.35rem;background:var(--hot-soft);color:var(--hot);font-weight:650;margin-right:.4rem}
details{margin-top:.75rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem 1.1rem}
.panel details{border:0;padding:0;margin-top:.7rem}
summary{cursor:pointer;font-weight:550}
summary:focus-visible{outline:2px solid var(--data);outline-offset:3px}
details[open]>summary{margin-bottom:.7rem}
@media (max-width:34rem){.far{display:none}td .name{font-size:.84em}}
)css";

constexpr const char* kDrawings = R"css(
svg{display:block;overflow:visible;width:100%}
svg text{font-size:12px;fill:var(--soft)}
svg .strong{fill:var(--ink);font-weight:600}
svg .grid{stroke:var(--line)}svg .zero{stroke:var(--soft)}
svg .stem{stroke:var(--data);stroke-width:1.5;opacity:.55}svg .dot{fill:var(--data)}
svg .worst .stem{stroke:var(--hot);opacity:.9}svg .worst .dot,svg text.worst{fill:var(--hot)}
svg text.worst{font-size:11px;font-weight:650}
svg .hit{fill:transparent}svg g:hover>.hit{fill:var(--ink);opacity:.07}
svg .bar{fill:var(--data)}svg .bar.lost{fill:var(--hot)}svg .bar.before{fill:var(--data);opacity:.38}
svg .track{fill:var(--data-soft)}
svg .outside{fill:var(--hot-soft)}svg .bound{stroke:var(--hot);stroke-width:1.5}
svg .whisker{stroke:var(--data);stroke-width:2}svg .before .whisker,svg .before .dot{opacity:.5}
svg .curve{fill:none;stroke:var(--data);stroke-width:1.8;vector-effect:non-scaling-stroke}
svg .curve.other{stroke:var(--hot)}
.key{font-size:.82rem;color:var(--soft);margin-top:.35rem}.key b{color:var(--data)}.key b.other{color:var(--hot)}
.plot{display:grid;grid-template-columns:2.4rem 1fr}
.ends{display:flex;justify-content:space-between;font-size:.78rem;color:var(--soft);margin-top:.3rem}
.legend{font-size:.85rem;color:var(--soft);margin-bottom:.7rem}
.legend b{font-weight:600;color:var(--hot)}
figcaption{font-size:.82rem;color:var(--soft);margin-top:.35rem}
@media print{body{background:#fff}.card,.panel{break-inside:avoid}}
)css";

}  // namespace

std::string style_sheet() { return std::string(kColours) + kText + kBlocks + kTables + kDrawings; }

}  // namespace limbeck::html
