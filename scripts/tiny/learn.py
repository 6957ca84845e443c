"""Training of the tiny model: the loss, the optimiser, the schedule, the processes.

Contrastive learning by the sigmoid loss of SigLIP (Zhai et al. 2023, Eq. 1) of a native open_clip
model: a caption is right for every image of the batch that shows all that it names, and captions
do not name everything. Labels are smoothed: see `contrast`. One process and one thread a core,
because a pool of threads stalls whenever another program wants a core; one process on a GPU.
"""

import math
import os
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from forward import encode_image
from model import CONTEXT, initialise, load, save, write_folder
from open_clip import CLIP, create_model
from plan import Plan
from scenes import VIEWS, WHOLE, Batch, Scenes, draw_batch, render
from scores import SCENES, print_scores
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from evaluation.data.toy.scenes import vocabulary_words
from gem.backbones.word_tokenizer import WordTokenizer

MEETING = "processes-meet-here"
SMOOTH = 0.01  # how unsure a label is: logits of -4.6 and 4.6 are the best there are


def contrast(model: CLIP, batch: Batch, *, kept: float, dtype: torch.dtype) -> Tensor:
    """The sigmoid loss: is the caption true of the image? Summed over captions, mean of images.

    With smoothed labels (Szegedy et al. 2016) all words that an image does not show should have the
    same logit. Without, one may be a thousand times less likely than another, and where nothing is
    to be seen the softmax over words is as sure as anywhere.
    """
    seen = encode_image(model.visual, batch.images, kept=kept, dtype=dtype)
    with torch.autocast(seen.device.type, dtype, enabled=dtype != torch.float32):
        read = model.encode_text(batch.tokens)
    seen, read = F.normalize(seen.float(), dim=-1), F.normalize(read.float(), dim=-1)
    logits = model.logit_scale.exp() * seen @ read.T + model.logit_bias
    wanted = batch.true * (1 - 2 * SMOOTH) + SMOOTH
    each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (each * batch.counted).sum(1).mean()


def make_optimiser(model: CLIP, rate: float) -> torch.optim.Optimizer:
    """AdamW as CLIP has it: weight decay on matrices only.

    What `initialise` halved learns at half the rate.
    """
    kinds: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weights in model.named_parameters():
        if not weights.requires_grad:
            continue
        halved = name.startswith("visual.") and name.endswith("in_proj_weight")
        decay = 0.05 if weights.ndim >= 2 else 0.0
        kinds.setdefault((rate / (1 + halved), decay), []).append(weights)
    groups = [
        {"params": params, "lr": own, "weight_decay": decay, "rate": own}
        for (own, decay), params in kinds.items()
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def share(model: CLIP, done: float, processes: int) -> float:
    """Averages the gradients over the processes; returns the average of `done` likewise."""
    if processes == 1:
        return done
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([*(g.flatten() for g in grads), torch.tensor([done])])
    dist.all_reduce(flat)
    flat /= processes
    for grad, new in zip(
        grads, flat[:-1].split_with_sizes([g.numel() for g in grads]), strict=True
    ):
        grad.copy_(new.view_as(grad))
    return float(flat[-1])


def learn(plan: Plan, model: CLIP, scenes: Scenes, tokenizer: WordTokenizer, rank: int) -> None:
    """Runs the whole schedule on `model` in place; the first process reports and saves."""
    rng, device = np.random.default_rng((plan.seed, rank)), next(model.parameters()).device
    sizes = np.random.default_rng(plan.seed)  # the same in all processes: none waits for another
    optimiser, dtype = make_optimiser(model, plan.rate), getattr(torch, plan.precision)
    start = told = time.monotonic()
    done, step = 0.0, 0
    while done < 1:
        decay = 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * min(1, (step + 1) / 100) * decay
        view = VIEWS[sizes.choice(len(VIEWS), p=[view.share for view in VIEWS])]
        batch = draw_batch(scenes, tokenizer, rng, batch=plan.batch, view=view)
        kept = view.kept if done < WHOLE else 1.0
        loss = contrast(model, batch.to(device), kept=kept, dtype=dtype)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        step, spent = step + 1, time.monotonic() - start
        done = share(model, max(step / plan.steps, spent / 60 / plan.minutes), plan.processes)
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimiser.step()
        model.logit_scale.data.clamp_(0, math.log(100))
        if rank == 0 and time.monotonic() - told > 30:
            told = time.monotonic()
            rate, left = step * plan.batch * plan.processes / spent, spent / 60 * (1 / done - 1)
            print(
                f"step {step} after {spent / 60:.1f} min, {left:.1f} min left: "
                f"loss {loss.item():.3f}, {rate:.0f} images/s",
                flush=True,
            )
            save(model, plan.out)


def train(rank: int, plan: Plan) -> None:
    """One process of the run: its share of the scenes and of every step."""
    torch.set_num_threads(1 if plan.processes > 1 else os.cpu_count() or 1)
    if plan.processes > 1:
        meeting = f"file://{plan.out.resolve()}/{MEETING}"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=plan.processes)
    tokenizer, count = WordTokenizer(vocabulary_words(), CONTEXT), plan.scenes // plan.processes
    scenes = render(count, rank=rank, processes=plan.processes, cache=plan.cache)
    torch.manual_seed(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = create_model(f"local-dir:{plan.out}", load_weights=False, device=device)
    initialise(model)
    if plan.start:
        load(model, plan.start)
        model.logit_scale.requires_grad_(False)
    if plan.processes > 1:
        for weights in model.parameters():  # all start as the first does
            dist.broadcast(weights.data, 0)
    learn(plan, model, scenes, tokenizer, rank)
    if rank == 0:
        save(model, plan.out)


def usual_processes() -> int:
    """One on a GPU, else one a core."""
    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def run(plan: Plan) -> None:
    """Trains in processes of their own, then prints what the model can do on TUNE scenes."""
    write_folder(plan.out, vocabulary_words())
    # Read when a process starts. Without them the kernel maps and zeroes each large tensor anew,
    # which took more than half of the time.
    os.environ.update(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="16000000000")
    (plan.out / MEETING).unlink(missing_ok=True)
    start = time.monotonic()
    spawn(train, (plan,), nprocs=plan.processes)  # type: ignore[no-untyped-call]
    (plan.out / MEETING).unlink(missing_ok=True)
    print(f"drawn and trained in {(time.monotonic() - start) / 60:.1f} minutes")
    print_scores(plan.out, SCENES)
