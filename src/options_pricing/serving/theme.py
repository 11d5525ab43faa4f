"""How the app looks as a whole, in light and in dark: what Streamlit is started with."""

# Flags of `streamlit run`; its own fonts, so that nothing is loaded from anywhere.
THEME = {
    "theme.baseFontSize": "14",
    "theme.baseRadius": "small",
    "theme.metricValueFontSize": "1.3rem",
    "theme.headingFontSizes": '["1.5rem", "1.25rem", "1.05rem", "1rem", "0.95rem", "0.9rem"]',
    "theme.light.primaryColor": "#0072B2",
    "theme.light.backgroundColor": "#FFFFFF",
    "theme.light.textColor": "#1B2733",
    "theme.light.secondaryBackgroundColor": "#F4F6F8",
    "theme.dark.primaryColor": "#56B4E9",
    "theme.dark.backgroundColor": "#12171C",
    "theme.dark.textColor": "#E3E8ED",
    "theme.dark.secondaryBackgroundColor": "#1D242B",
}
