/** What each product of the benchmark costs, and how many there are: more than are ever sold. */
export const priceMinor = 1_250;
export const initialStock = 100_000_000;
