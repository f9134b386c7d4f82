"""Measuring the EVM: scenarios, the engines that run them, blocks of payments, and the worst cases."""
