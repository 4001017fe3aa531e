/// The style of the page. It has no character that HTML or XML would read as markup.
enum ReportStyle {
  static let text = """
    :root{color-scheme:light dark;--page:#fff;--panel:#f6f8fa;--ink:#1b1f24;--muted:#57606a;--grid:#d8dee4;--line:#8c959f;\
    --kept:#0a5fb4;--dropped:#c04a0c;--third:#14735c;--fourth:#7a4bc2;--chosen:#fff4d6;\
    --d0:#3b2f8f;--d1:#20678f;--d2:#1f8f78;--d3:#5da532;--d4:#c9a400}
    @media (prefers-color-scheme:dark){:root{--page:#0f1318;--panel:#171c23;--ink:#e6e9ed;--muted:#9aa4b0;--grid:#2b323a;\
    --line:#6b7683;--kept:#68a9f5;--dropped:#f2935a;--third:#4cc3a0;--fourth:#b99bf7;--chosen:#3a3013;\
    --d0:#9b8cff;--d1:#5fb0e0;--d2:#4fd0b0;--d3:#a3dc6a;--d4:#f3d34a}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:1100px;background:var(--page);color:var(--ink);\
    font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,DejaVu Sans,sans-serif}
    h1{margin:0;font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere}
    h2{margin:0 0 .25rem;font-size:1.3rem}
    .subtitle,.lead{margin:.25rem 0 1rem;color:var(--muted);max-width:95ch}
    nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.75rem 0;border-bottom:1px solid var(--grid)}
    a{color:var(--kept)}
    section{margin-top:2.5rem}
    figure{margin:1rem 0 1.5rem;overflow-x:auto}
    figcaption{margin-bottom:.5rem;font-weight:600}
    svg{display:block;width:100%;height:auto}
    svg.hidden{position:absolute;width:0;height:0}
    .legend,figcaption{position:sticky;left:0}
    .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.5rem 0 0;font-size:.875rem;color:var(--muted)}
    .key{display:inline-flex;align-items:center;gap:.4rem}
    .swatch{display:inline-block;width:14px;height:14px;border-radius:3px}
    .swatch.hollow{border:2px solid var(--kept);border-radius:50%}
    .swatch.round{border-radius:50%}
    .swatch.gradient{width:90px;background:linear-gradient(90deg,transparent,var(--kept));border:1px solid var(--grid)}
    .swatch.gradient.bad{background:linear-gradient(90deg,transparent,var(--dropped))}
    .swatch.hatch{background:repeating-linear-gradient(45deg,var(--dropped) 0 2px,transparent 2px 4px);border:1px solid var(--dropped)}
    .swatch.struck{background:linear-gradient(to bottom right,transparent 43%,var(--dropped) 43% 57%,transparent 57%);border:1px solid var(--grid)}
    .swatch.dashed{height:0;width:22px;border-top:2px dashed var(--ink);border-radius:0}
    .kept{fill:var(--kept);background:var(--kept)}
    .dropped{fill:url(#hatch);stroke:var(--dropped)}
    .hatch-ground{fill:var(--page)}
    .hatch-line{fill:var(--dropped)}
    .third{fill:var(--third);background:var(--third)}
    .fourth{fill:var(--fourth);background:var(--fourth)}
    .warn{fill:var(--dropped);background:var(--dropped)}
    .other{fill:var(--line);background:var(--line)}
    .shade{fill:var(--kept)}
    .shade-bad{fill:var(--dropped)}
    .hollow{fill:var(--page);stroke:var(--kept);stroke-width:2}
    .ring{fill:none;stroke:var(--ink);stroke-width:2}
    .strike{stroke:var(--dropped);stroke-width:2}
    .strike.under{stroke:var(--page);stroke-width:4.5}
    .grid{stroke:var(--grid);stroke-width:1}
    .axis{stroke:var(--line);stroke-width:1}
    .rule{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 4}
    .stem{stroke:var(--line);stroke-width:1.5}
    .stem.bad{stroke:var(--dropped);stroke-dasharray:2 2}
    .curve{fill:none;stroke-width:1.75;stroke-linejoin:round}
    .line-kept{stroke:var(--kept)}
    .line-third{stroke:var(--third)}
    .chosen-dot{fill:var(--dropped);stroke:var(--ink);stroke-width:2}
    .swatch.chosen-key{background:var(--dropped);border:2px solid var(--ink)}
    .swatch.pale{background:color-mix(in srgb,var(--kept) 14%,transparent);border:1px solid var(--grid)}
    .swatch.ring-key{border:2px solid var(--ink)}
    .front{stroke:var(--ink);stroke-dasharray:6 4}
    .d0{stroke:var(--d0)}.d1{stroke:var(--d1)}.d2{stroke:var(--d2)}.d3{stroke:var(--d3)}.d4{stroke:var(--d4)}
    .swatch.d0{background:var(--d0)}.swatch.d1{background:var(--d1)}.swatch.d2{background:var(--d2)}\
    .swatch.d3{background:var(--d3)}.swatch.d4{background:var(--d4)}
    text{font-size:12.5px;fill:var(--muted)}
    text.title{font-size:13px}
    text.note{fill:var(--ink)}
    .scroll{overflow-x:auto;margin:1rem 0}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .9rem .3rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
    th{color:var(--muted);font-weight:600}
    .words{text-align:left}
    th:first-child,td:first-child{padding-left:.4rem}
    tr.chosen td{background:var(--chosen);font-weight:600}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:.75rem;margin:1rem 0}
    .tile{padding:.9rem 1rem;background:var(--panel);border:1px solid var(--grid);border-radius:8px;display:flex;flex-direction:column}
    .tile b{font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
    .tile small{color:var(--muted)}
    code{padding:.1rem .3rem;background:var(--panel);border-radius:4px;font-size:.875em;overflow-wrap:anywhere}
    li{margin:.35rem 0}
    @media print{:root{--page:#fff;--panel:#fff;--ink:#000;--muted:#444;--grid:#ccc;--line:#777;--kept:#0a5fb4;\
    --dropped:#c04a0c;--third:#14735c;--fourth:#7a4bc2;--chosen:#fff4d6}
    body{max-width:none;padding:0;font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}\
    nav{display:none}figure,tr,.tiles{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}}
    """
}
