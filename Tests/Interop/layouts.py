"""How models lie on disks: the cache of the Hugging Face hub, a model beside pickles, and pickles alone."""

import os
import shutil

from support import *

source = FIXTURES / "models/llama-pico"
ids = list(range(3, 40))
expected = logits(source, ids)

cache = fresh("hub/models--house--llama-pico")
snapshot = cache / "snapshots/0123456789abcdef0123456789abcdef01234567"
snapshot.mkdir(parents=True)
(cache / "blobs").mkdir()
for number, path in enumerate(sorted(source.glob("*.*"))):
    if path.name.startswith("oracle"):
        continue
    blob = cache / f"blobs/{number:040x}"
    shutil.copy(path, blob)
    (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
check("a snapshot of links into blobs opens", "logits equal", np.array_equal(logits(snapshot, ids), expected))
copy = fresh("from-snapshot")
mtconv("convert", snapshot, copy)
check("what is written from it are files", "no links", not any(p.is_symlink() for p in copy.iterdir()))

sharded = FIXTURES / "models/llama-pico-bf16-sharded"
whole = fresh("unsharded")
mtconv("convert", sharded, whole)
check("four shards and one file give the same logits", "equal", np.array_equal(logits(sharded, ids), logits(whole, ids)))
again = fresh("resharded")
mtconv("convert", whole, again, "--max-shard-size", "50KB")
names = sorted(p.name for p in again.glob("*.safetensors"))
model = causal_model(again)
error = nmse(torch_logits(model, ids), logits(whole, ids))
check("transformers loads our shards", f"{len(names)} shards, NMSE {error:.1e} {model.complaints or ''}",
      len(names) > 1 and error < 1e-9 and not model.complaints)

both = fresh("with-pickle")
shutil.copytree(source, both)
(both / "pytorch_model.bin").write_bytes(b"\x80\x04.")
check("a pickle beside safetensors is passed over", "logits equal", np.array_equal(logits(both, ids), expected))
out = fresh("without-pickle")
mtconv("convert", both, out)
check("and not carried on", sorted(p.name for p in out.iterdir()), not (out / "pytorch_model.bin").exists())

for path in both.glob("*.safetensors"):
    path.unlink()
for path in (both, both / "pytorch_model.bin"):
    result = mtconv("inspect", path, ok=None)
    check("pickles alone are refused by name", result.stderr.strip(),
          result.returncode == 2 and "pytorch_model.bin" in result.stderr)
result = mtconv("convert", both, fresh("never"), ok=None)
check("and not converted", result.stderr.strip(), result.returncode == 2 and "pytorch_model.bin" in result.stderr)
finish()
