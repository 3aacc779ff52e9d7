"""The contracts every other package derives from: event, results, rejections, metrics.

Nothing here imports anything of the kit, and everything of the kit may import this.
"""
