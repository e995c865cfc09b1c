"""One small module per integration, behind one port."""
