"""The thinking: states, graph, priority, scores, decisions. Plain values in, plain values out."""
