"""How far a student's distribution over whole paths is from its teachers'.

Teacher and student both make the paths through one denominator graph a distribution: a path's probability
is the product of its frames' and of its phones' n-gram, divided by Z. The n-gram cancels out of their
ratio, and what is left is a sum over frames, so that the divergence needs only how often each token is
expected under the teacher (g), not the paths themselves:

    KL(teacher || student) = log Z_student - log Z_teacher - sum_tk g[t, k] (log s[t, k] - log p[t, k])

with s the student's frames and p the teacher's; its slope by log s is g_student - g.

Source: J. Wong and M. Gales, "Sequence student-teacher training of deep neural networks", Interspeech
2016; N. Kanda et al., "Investigation of lattice-free maximum mutual information-based acoustic models with
sequence-level Kullback-Leibler divergence", ASRU 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor

from export.criterion.denominator import Denominator, with_slope


def path_divergence(
    denominator: Denominator, log_probs: Tensor, lengths: Tensor, answers: Tensor
) -> tuple[Tensor, Tensor]:
    """log Z of the student, and its mean divergence from its teachers in nats: both (batch,).

    One recursion over the frames serves the student and all teachers.

    Parameters
    ----------
    log_probs: (batch, outputs, tokens) of the student.
    lengths: (batch,) outputs of each utterance.
    answers: (teachers, batch, outputs, tokens), finite log-probabilities.
    """
    everyone = torch.cat([log_probs.detach()[None], answers])
    log_z, expected = denominator.occupancies(everyone.flatten(0, 1), lengths.repeat(len(everyone)))
    log_z, expected = log_z.view(len(everyone), -1), expected.reshape(everyone.shape)
    own = with_slope(log_probs, log_z[0], expected[0])
    nearer = (expected[1:] * (log_probs - answers)).sum(dim=(2, 3))
    return own, own - (log_z[1:] + nearer).mean(dim=0)
