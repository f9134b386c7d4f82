"""Payment channels off the chain: messages, state, transition. Pure; shared by wallet, hub and watchtower."""
