"""GMM-HMMs in numpy: the systems that find the phones in time before a network learns them.

The order of things: deltas -> states, chain -> mixtures -> viterbi -> statistics -> tree -> decode.
"""
