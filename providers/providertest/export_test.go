package providertest

// WellFormed checks a refusal as the battery does.
var WellFormed = wellFormed
