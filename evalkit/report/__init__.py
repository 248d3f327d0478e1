"""What people read: report page, judge card, figures, tables. Renders records of `core` and decides nothing."""
