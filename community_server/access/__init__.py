"""Who may use which doors when: access groups, weekly schedules, holidays."""
