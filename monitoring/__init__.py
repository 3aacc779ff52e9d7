"""What is watched: metrics, alarms and the dashboard, as data.

``stacks`` deploys it, ``local`` draws and evaluates it.
"""
